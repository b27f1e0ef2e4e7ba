// SPDX-License-Identifier: GPL-2.0-or-later
// adopt.h - links of the host that become the container's: netDevices, done by `cosonet -adopt`
#pragma once

#include "shared/err.h"

#include <stdbool.h>

struct launch;

bool adopt_wanted(const struct launch *launch);

// Outside: runs the cosonet that is installed beside this program, for launch->pid. What it said is in the message if it failed; then
// all links are where they were. Should: be called when the child is there and before gate 2; as root, since the links are the host's.
int adopt_run(struct launch *launch, struct err *err);
