// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup.h - the one door to control groups: v1, v2 and hybrid hosts behind it. cgroups(7), Documentation/admin-guide/cgroup-v2.rst
//
// A container's group is "<top>/coso/<id>", where <top> is the topmost group, from a mount's root down to the caller's own group, that
// the caller may write to: the root for root, the delegated group for an ordinary user or inside a container. It is made only in the
// hierarchies that a limit needs, in one that serves for killing (v2, else pids), and where the caller sits in a group that a service
// manager tracks without a controller (name=systemd). After an idle moment each hierarchy costs a launch 0.15 ms. On a hybrid host each
// controller is used where it is. A limit whose controller is missing is an error that names the controller and why; every value is
// read back after writing. "coso" itself goes with the last container's group.
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
	const char *path; // "/coso/<id>", below each hierarchy's `top`; NULL before cgroup_create
	struct cgroup_hierarchy {
		const char *mount;       // mount point, "/sys/fs/cgroup/memory"
		const char *controllers; // "memory", "cpu,cpuacct", "name=systemd"; on v2 those of `top`: "cpu,memory,pids" or ""
		const char *own;         // the caller's own group below the mount, "/" or "/user.slice/…"
		const char *top;         // the group in which "coso" is made, absolute
		const char *base;        // the folder in which "<id>" is made, absolute: "<top>/coso"
		const char *unusable;    // why no group can be made here ("mounted read-only"); NULL: one can
		bool v2;
		// -1 unless cgroup_create made a group here. v1: its `tasks` file, open, to which the child writes "0"; v2: the
		// group's folder, for CLONE_INTO_CGROUP
		int join;
		bool made; // by cgroup_create, and not yet removed by cgroup_remove
	} hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t count;
	int v2; // index of the v2 hierarchy if cgroup_create made a group there, else -1
};

// Finds the mounted hierarchies from /proc/self/mountinfo and /proc/self/cgroup; makes nothing. No cgroup file system at all is no
// error: `count` is 0. Free with cgroup_close.
int cgroup_detect(struct arena *arena, struct cgroup *out_cgroup, struct err *err);

// True if device rules can be set: v1's controller or v2 is there.
bool cgroup_takes_devices(const struct cgroup *cgroup);

// Makes the group `id`, sets `resources` and opens what joining takes. On failure nothing is left. A group of that name with
// processes in it is an error (EEXIST); an empty one is made anew. Where no hierarchy is usable and no limit is asked for, no
// group is made and the caller's own stays: then nothing is there to join.
int cgroup_create(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct err *err);

// Closes what cgroup_create opened, once the child has joined. The group stays.
void cgroup_close(struct cgroup *cgroup);

// In the child, before it unshares its cgroup namespace: async-signal-safe, no memory. Joins every v1 hierarchy, and v2 too
// unless `cloned_into_v2` (CLONE_INTO_CGROUP did it).
int cgroup_join(const struct cgroup *cgroup, bool cloned_into_v2, struct err *err);

// True if any group was made on v1: then the child unshares its cgroup namespace after joining, since a cloned one would be rooted
// at the parent's groups. With v2 alone, CLONE_NEWCGROUP beside CLONE_INTO_CGROUP roots it at the new group. cgroup_post_fork()
bool cgroup_has_v1(const struct cgroup *cgroup);

// Kills whatever is left in the group `id` and in groups below it, and removes them from every hierarchy, waiting up to `timeout_ms`
// for the dying. Nothing there is no error. After cgroup_create it looks only where that made a group; else everywhere, from `id`
// alone, so it also serves after a crash.
int cgroup_remove(struct cgroup *cgroup, const char *id, int timeout_ms, struct err *err);

// Calls `visit` with each id that has a group of COSO's in any hierarchy (an id may come more than once).
int cgroup_each(struct cgroup *cgroup, void (*visit)(const char *id, void *data), void *data, struct err *err);

// What went wrong inside: the number of OOM kills so far, or -1 if it can't be known.
int64_t cgroup_oom_kills(const struct cgroup *cgroup, const char *id);

// One line a setting for `coso explain` ("memory: memory.limit_in_bytes = 67108864 in /sys/fs/cgroup/memory/coso/ID"), without
// making anything.
int cgroup_describe(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct strv *out_lines,
		    struct err *err);
