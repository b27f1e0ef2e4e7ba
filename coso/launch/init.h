// SPDX-License-Identifier: GPL-2.0-or-later
// init.h - `--init`: COSO itself is pid 1, so that zombies are reaped and signals act as they do outside
#pragma once

#include "shared/err.h"

struct launch;

// Inside, before the filter is loaded: closes whatever descriptor is not needed up to exec. This process never executes anything, so
// what is close-on-exec would stay open in pid 1.
void init_prepare(const struct launch *launch);

// Inside, before exec. Returns 0 in the child that goes on to exec, -1 on failure. The parent stays here as pid 1: it forwards
// signals, reaps whatever ends, and exits with the program's status as soon as that has ended. Of the program's capabilities it keeps
// CAP_KILL, and its /proc/PID/cmdline and environ show nothing of the command line that coso was called with.
int init_fork(struct launch *launch, struct err *err);
