// SPDX-License-Identifier: GPL-2.0-or-later
// idmount.h - id-mapped mounts: files keep their owners on the disk, and have others where they are seen. mount_setattr(2), Linux 5.12
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>

struct launch;
struct mounts_item;

// Outside, before clone3: maps a detached mount as its own maps say, if it has any.
int idmount_prepare(struct launch *launch, const struct mounts_item *item, struct err *err);

// A user namespace with these maps, for idmount_map: a descriptor, or -1.
int idmount_userns(struct launch *launch, const struct spec_idmaps *uids, const struct spec_idmaps *gids, struct err *err);

// True if the spec asks for an id-mapped mount.
bool idmount_is_wanted(const struct spec_mount *mount);

// True if the mount is to be mapped as the container is: because the spec says so, or since COSO's own layers are, too.
bool idmount_wants_container(const struct launch *launch, const struct mounts_item *item);

// Outside, once the container's maps are written: maps a detached mount as `userns` does. 0, or -1 with errno.
int idmount_map(int mount, int userns, bool recursive);
