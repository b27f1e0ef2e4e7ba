// SPDX-License-Identifier: GPL-2.0-or-later
// join.h - starts another process in a container that runs: the third table of stages, over the same parts as a launch
//
// Order of use: launch_init with a spec whose `process` is the new one's, fill in `target` (its first process) and `cgroup` (opened
// for joining), join_start, wait for `pidfd`, join_end. The spec's mounts, devices and names have been made, and aren't looked at.
#pragma once

#include "shared/err.h"

struct launch;

// Returns 0 once the program was executed. On failure nothing is left; launch->exit_code is 125, 126 or 127.
int join_start(struct launch *launch, struct err *err);

void join_end(struct launch *launch);
