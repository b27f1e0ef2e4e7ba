// SPDX-License-Identifier: GPL-2.0-or-later
// extend.h - a group that turns out to need a hierarchy that it isn't in
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/settings.h"
#include "shared/err.h"

// Adds what cgroup_detect knows to a group that was reopened: all hierarchies, and where in them the caller may make groups.
int extend_learn(struct cgroup *cgroup, struct err *err);

// After extend_learn: makes the group in the hierarchy `index` under the name that it has elsewhere, hands the controllers down that
// `settings` takes there, and moves all processes into it. On failure it is as before.
int extend_into(struct cgroup *cgroup, size_t index, const struct settings *settings, struct err *err);

// The same for the hierarchy that has `controller` (a freezer is also v2 itself).
int extend_to(struct cgroup *cgroup, const char *controller, struct err *err);
