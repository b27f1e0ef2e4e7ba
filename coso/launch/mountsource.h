// SPDX-License-Identifier: GPL-2.0-or-later
// mountsource.h - what is bound into the container: cloned from the host's mounts, as a tree that is mounted nowhere. open_tree(2)
#pragma once

#include "shared/err.h"

struct launch;
struct mounts_item;

// Outside, before clone3: looks at the source of a bind mount, and with enough privilege clones it, so that folders that are closed to
// the container's root don't matter; makes the mount of a file system on a block device, where the container has a user namespace,
// which may not. A source below the container's own root waits until its turn.
int mountsource_prepare(struct launch *launch, struct mounts_item *item, struct err *err);

// Inside: the clone that was made outside, else one made now. Returns a descriptor for sys_move_mount. Mustn't: be called twice.
int mountsource_open(struct launch *launch, struct mounts_item *item, struct err *err);

// Inside: a clone of what the caller has at `path`, with all below it; read-only, nosuid, nodev and noexec down there.
int mountsource_host(const char *path, struct err *err);
