// SPDX-License-Identifier: GPL-2.0-or-later
// builtin.h - the root file system that needs no download: rootfs/builtin.txt around the distribution's static BusyBox
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

// Fills the empty folder `root`. Fails where no static BusyBox for this machine is installed. 0 or -1.
int builtin_make(struct arena *arena, int root, struct err *err);
