// SPDX-License-Identifier: GPL-2.0-or-later
// gc.h - mends what a crash left: every command begins with it
#pragma once

#include "coso/engine/place.h"
#include "shared/err.h"

#include <stdbool.h>

// Looks at the claims; of containers whose owner died it ends what still runs (unless detached), pays the network's debt, removes
// cgroup, upper layer and state. A detached container that lives on is left alone. What can't be mended is a warning, and is
// tried again by the next command.
// The first command after a boot also removes layers and logs of the last one's containers: their states went with /run.
// `hurry`: of owners that seem to live, only some are looked at closely; a launch takes no longer beside 1,000 containers.
void gc_sweep(const struct place *place, bool hurry);

// After the death of a monitor that hadn't said how the launch of `id` went, though the name was its own: ends and removes it. It was never
// reported as running.
void gc_forget(const struct place *place, const char *id);

// Removes all that a container that has ended left: cgroup, network's debts, its folder with log and layers. 0 or -1.
int gc_remove_parts(const struct place *place, const char *id, int state, struct err *err);
