// SPDX-License-Identifier: GPL-2.0-or-later
// mountattr.h - what a mount is allowed (read-only, nosuid …) and with whom it shares events. mount_setattr(2), mount_namespaces(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stdint.h>

// Both by descriptor, also where mount_setattr(2) is missing (before Linux 5.12), which then takes a mount that is attached: on one
// that isn't yet they fail with ENOSYS there. Inside: async-signal-safe.

// Sets and clears MOUNT_ATTR_*. Of the access times one is chosen: either says which.
int mountattr_set(int mount, uint64_t set, uint64_t clear, bool recursive, struct err *err);

// MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with MS_REC for what is mounted below, too.
int mountattr_propagate(int mount, unsigned long propagation, struct err *err);

// All of a bind mount's, on a clone that is still in the peer group of what it was cloned from. Unless the spec says "shared", it and
// all below it leave that: nothing that is mounted in a volume appears on the host. `foreign`: its users have a user namespace of their
// own, and then nothing does in any case, as the kernel has it for copied mount namespaces.
int mountattr_bind(int mount, const struct spec_mount *spec, bool foreign, struct err *err);

// What a new mount of a file system gets: attributes for fsmount(2).
unsigned int mountattr_new(const struct spec_mount *spec);

// True if a spec's mount is to be read-only.
bool mountattr_is_readonly(const struct spec_mount *spec);
