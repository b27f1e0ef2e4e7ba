// SPDX-License-Identifier: GPL-2.0-or-later
// join.h - how processes get into a group
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/err.h"

// Opens what joining the group of one hierarchy takes: its `join`.
int join_open(struct arena *arena, struct cgroup_hierarchy *hierarchy, struct err *err);
