// SPDX-License-Identifier: GPL-2.0-or-later
// mounttarget.h - where a mount may go
#pragma once

#include "shared/err.h"
#include "shared/path.h"

struct launch;
struct mounts_item;

// Outside. /proc is what labels, sysctls and masks are written through: only a proc goes over it (or what is bound from one), and
// below it only what is known to be emulated by others (lxcfs).
int mounttarget_check(const struct mounts_item *item, struct err *err);

// Inside: opens the mount point, making it where it is missing. Mustn't: reach into proc or a sysfs through a link of the image, and
// come to the mount point of those through one.
int mounttarget_open(struct launch *launch, const struct mounts_item *item, struct path_target *out_target, struct err *err);
