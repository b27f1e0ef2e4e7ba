// SPDX-License-Identifier: GPL-2.0-or-later
// masks.h - paths of /proc and /sys that the container may not read (masked), or not write (read-only)
#pragma once

#include "shared/err.h"

struct launch;

// Inside, after pivot_root: a masked file is covered by the container's own /dev/null, a masked folder by an empty read-only tmpfs.
// A path that this kernel doesn't have is skipped. Mustn't: cover with anything that isn't a character device 1:3 by descriptor.
int masks_apply(struct launch *launch, struct err *err);
