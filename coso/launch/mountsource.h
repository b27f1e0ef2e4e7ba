// SPDX-License-Identifier: GPL-2.0-or-later
// mountsource.h - what is bound into the container: cloned from the host's mounts, as a tree that is mounted nowhere. open_tree(2)
#pragma once

#include "shared/err.h"

struct launch;
struct mounts_item;

// Outside, before clone3: clones the source of a bind mount where the child can't, or perhaps can't; makes the mount of a file system on
// a block device, where the container may have a user namespace, which may not. All else is opened when it is its turn: the
// kernel lists mounts in the order in which they were made. What lies in the container's own root is seen there as the container will.
int mountsource_prepare(struct launch *launch, struct mounts_item *item, struct err *err);

// Inside: one made now, or the clone that was made outside. Returns a descriptor for sys_move_mount. Mustn't: be called twice.
int mountsource_open(struct launch *launch, struct mounts_item *item, struct err *err);

// Inside: a clone of what the caller has at `path`, with all below it.
int mountsource_host(const char *path, struct err *err);
