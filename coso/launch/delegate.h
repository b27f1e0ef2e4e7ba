// SPDX-License-Identifier: GPL-2.0-or-later
// delegate.h - gives the container's group on cgroup v2 to its program. runtime-spec, config-linux.md, "Cgroup ownership"
#pragma once

#include "shared/err.h"

#include <stdbool.h>

struct launch;

// True if the program shall manage its own group: it has a new cgroup namespace, and a cgroup file system at /sys/fs/cgroup that it can
// write to.
bool delegate_wanted(const struct launch *launch);

// Outside, once the group is there: its owner becomes the user of process.user, as mapped. A group that was there before stays whose it
// is. Should: be called by root of the host; v1 groups are never given away.
int delegate_run(struct launch *launch, struct err *err);
