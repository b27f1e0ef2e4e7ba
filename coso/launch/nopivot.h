// SPDX-License-Identifier: GPL-2.0-or-later
// nopivot.h - leaves the mounts of a root that pivot_root(2) can't leave behind
#pragma once

#include "shared/err.h"

// Inside, while paths still begin at the old root: unmounts all that is mounted below it. What a user namespace may not unmount stays,
// below the new root; but a proc or sysfs is covered, since in a mount namespace that has one in full the kernel lets anybody's user
// namespace mount another without masks (mount_namespaces(7)).
int nopivot_leave(struct err *err);
