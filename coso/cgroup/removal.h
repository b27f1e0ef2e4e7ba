// SPDX-License-Identifier: GPL-2.0-or-later
// removal.h - ends what runs in a group and in those below it, and removes them
#pragma once

#include "shared/err.h"

#include <stdint.h>

// Removes the group `folder` with all below it. What still runs there is killed (cgroup.kill; on v1 after stopping forks by pids.max or
// the freezer), and waited for until `deadline` (of proc_now_ms). A missing group is no error.
int removal_remove(const char *folder, int64_t deadline, struct err *err);
