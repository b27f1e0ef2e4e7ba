// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup.h - the one door to control groups: v1, v2 and hybrid hosts behind it. cgroups(7), Documentation/admin-guide/cgroup-v2.rst
//
// A container's group is "<parent>/<id>" in every hierarchy that has a controller. On a hybrid host each controller is used where
// it is. A limit whose controller is missing is an error that names the controller and why; every value is read back after writing.
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CGROUP_HIERARCHIES_MAX = 16 };

struct cgroup {
	struct arena *arena;
	const char *path;                          // "/coso/<id>", below each mount's root (and the caller's own group where delegated)
	struct cgroup_hierarchy {
		const char *mount;                 // mount point, "/sys/fs/cgroup/memory"
		const char *controllers;           // "memory" or "cpu,cpuacct"; "" for v2
		const char *base;                  // the folder in which "<id>" is made, absolute
		bool v2;
		int join;                          // v1: an open `tasks` file, the child writes "0"; v2: the group's folder, for
						   // CLONE_INTO_CGROUP. -1: not open
	} hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t count;
	int v2;                                    // index of the v2 hierarchy that has controllers of its own, else -1
};

// Finds the mounted hierarchies from /proc/self/mountinfo and /proc/self/cgroup; makes nothing. Read-only, missing or not
// delegated hierarchies are left out; cgroup_create says so by name if a limit needs one of them.
int cgroup_detect(struct arena *arena, struct cgroup *out_cgroup, struct err *err);

// Makes the group `id` in every hierarchy and sets `resources`; opens what joining takes. On failure nothing is left.
// An ordinary user without a delegated group and without limits gets a cgroup with count 0: the caller's own group stays.
int cgroup_create(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct err *err);

// In the child, before it unshares its cgroup namespace: async-signal-safe, no memory. Joins every v1 hierarchy, and v2 too
// unless `cloned_into_v2` (CLONE_INTO_CGROUP did it).
int cgroup_join(const struct cgroup *cgroup, bool cloned_into_v2, struct err *err);

// True if any controller of the group is on v1: then the cgroup namespace is unshared after joining, never cloned.
bool cgroup_has_v1(const struct cgroup *cgroup);

// Kills whatever is left in the group `id` (cgroup.kill, or a freeze-kill-thaw loop on v1) and removes it from every hierarchy,
// waiting up to `timeout_ms` for the dying. Nothing there is no error. Works from `id` alone, so it also serves after a crash.
int cgroup_remove(struct cgroup *cgroup, const char *id, int timeout_ms, struct err *err);

// Calls `visit` with each id that has a group of COSO's in any hierarchy (an id may come more than once).
int cgroup_each(struct cgroup *cgroup, void (*visit)(const char *id, void *data), void *data, struct err *err);

// What went wrong inside: the number of OOM kills so far, or -1 if it can't be known.
int64_t cgroup_oom_kills(const struct cgroup *cgroup, const char *id);

// One line a setting for `coso explain` ("memory: memory.limit_in_bytes = 67108864 in /sys/fs/cgroup/memory/coso/ID"), without
// making anything.
int cgroup_describe(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct strv *out_lines,
		    struct err *err);
