// SPDX-License-Identifier: GPL-2.0-or-later
// hierarchy.h - which cgroup hierarchies are mounted, and where in them the caller may make a group. proc_pid_mountinfo(5), cgroups(7)
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/err.h"

// Fills `cgroup` (whose arena is set) from the texts of /proc/self/mountinfo and /proc/self/cgroup.
int hierarchy_parse(struct cgroup *cgroup, const char *mountinfo, const char *own, struct err *err);

// True if the comma-separated `list` has `word`.
bool hierarchy_listed(const char *list, const char *word);

// The usable hierarchy that has `controller`, or -1.
int hierarchy_find(const struct cgroup *cgroup, const char *controller);

// The usable v2 hierarchy, with or without controllers, or -1.
int hierarchy_find_v2(const struct cgroup *cgroup);

// Why hierarchy_find found none, for a person: "it is mounted read-only on …". Owned by the arena.
const char *hierarchy_why_missing(const struct cgroup *cgroup, const char *controller);
