// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup.h - the one door to control groups: v1, v2 and hybrid hosts behind it. cgroups(7), Documentation/admin-guide/cgroup-v2.rst
//
// A container's group has a name. By its id (cgroup_id) alone it is "<top>/coso/<id>", where <top> is the topmost group, from a mount's root down
// to the caller's own group, that the caller may write to: the root for root, the delegated group for an ordinary user or inside a
// container. Such a group is made only in the hierarchies that a limit needs, in one that serves for killing (v2, else pids), and where
// the caller sits in a group that a service manager tracks without a controller (name=systemd): after an idle moment each hierarchy
// costs a launch 0.15 ms. By a cgroupsPath it is in every hierarchy that can be used, with all controllers, since engines look there:
// an absolute path is below each mount's root, a relative one below <top>; ".." never leads out of either.
//
// On a hybrid host each controller is used where it is. A limit whose controller is missing is an error that names the controller and
// why; every value is read back after writing. What was made is a record of a few lines, and everything later, in other processes
// too, goes by that record alone: a group that was there before is never removed, and groups above go when they were made and are
// empty.
//
// Order of use: cgroup_detect, cgroup_create, (fork) cgroup_join, cgroup_close, cgroup_record; later cgroup_reopen and the operations.
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
	const char *path; // the name, for messages: "/coso/<id>"; NULL: there is no group (yet)
	struct cgroup_hierarchy {
		const char *mount;       // mount point, "/sys/fs/cgroup/memory"
		const char *controllers; // "memory", "cpu,cpuacct", "name=systemd"; on v2 those of `top`: "cpu,memory,pids" or ""
		const char *own;         // the caller's own group below the mount, "/" or "/user.slice/…"
		const char *top;         // the topmost group that the caller may write to, absolute
		const char *unusable;    // why no group can be made here ("mounted read-only"); NULL: one can
		bool v2;
		const char *folder; // the container's group, absolute; NULL: it has none here
		size_t made;        // how many of the last parts of `folder` were made for it; 0: it was there before
		// -1 unless open for joining. v1: its `tasks` file, to which the child writes "0"; v2: its folder, for
		// CLONE_INTO_CGROUP
		int join;
	} hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t count;
	int v2;           // the hierarchy whose `join` serves CLONE_INTO_CGROUP, else -1
	const char *unit; // systemd's unit that the group is; NULL: it is COSO's own
	bool unit_user;   // of the user's manager
	int keeper;       // keeps the unit alive until the child has joined; -1: none
};

// What a group is called, and who makes it.
struct cgroup_name {
	const char *id;                     // of the container
	const char *path;                   // cgroupsPath; NULL: from the id. With SPEC_CGROUP_SYSTEMD "slice:prefix:name"
	enum spec_cgroup_manager manager;   // not SPEC_CGROUP_DISABLED
	struct spec_annotation *properties; // those that are called "org.systemd.property.NAME" become properties of the unit
	size_t property_count;
};

// The name that a spec gives its group.
struct cgroup_name cgroup_name_of(const struct spec *spec);

// An id for a group of a container whose own id is unique only among the states in one folder, as fstatat(2) takes it: the id and
// "@<device>.<inode>" of that folder, no longer than a folder's name may be. No container's own id has an '@'. Whoever mends one
// folder's containers kills what is in the groups of their ids, and that mustn't be another folder's.
const char *cgroup_id(struct arena *arena, int states, const char *folder, const char *id);

// Finds the mounted hierarchies from /proc/self/mountinfo and /proc/self/cgroup; makes nothing. No cgroup file system at all is no
// error: `count` is 0. Free with cgroup_close.
int cgroup_detect(struct arena *arena, struct cgroup *out_cgroup, struct err *err);

// True if device rules can be set: v1's controller or v2 is there.
bool cgroup_takes_devices(const struct cgroup *cgroup);

// Decides what cgroup_create will make, touching nothing: what cgroup_record tells after it can be written down first, so that a
// crash in between leaves nothing that nobody knows. Optional.
int cgroup_plan(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err);

// Makes the group, sets `resources` and opens what joining takes. On failure nothing is left. A group that is there already is an
// error (EBUSY) if it has processes or is frozen; an empty one is made anew where its name is COSO's own, else used as it is. Where no
// hierarchy is usable and neither a limit nor a path is asked for, no group is made and the caller's own stays: then nothing is there
// to join.
int cgroup_create(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err);

// Closes what cgroup_create or cgroup_open opened, once the child has joined. The group stays.
void cgroup_close(struct cgroup *cgroup);

// In the child, before it unshares its cgroup namespace: async-signal-safe, no memory. Joins every v1 hierarchy, and v2 too
// unless `cloned_into_v2` (CLONE_INTO_CGROUP did it).
int cgroup_join(const struct cgroup *cgroup, bool cloned_into_v2, struct err *err);

// True if any group on v1 is open for joining: then the child unshares its cgroup namespace after joining, since a cloned one would
// be rooted at the parent's groups. With v2 alone, CLONE_NEWCGROUP beside CLONE_INTO_CGROUP roots it at the new group. cgroup_post_fork()
bool cgroup_has_v1(const struct cgroup *cgroup);

// Gives the v2 group to `uid` and `gid`: its folder, and those of its files that the kernel says a delegatee needs
// (/sys/kernel/cgroup/delegate). Both have to be known in the user namespace that is to have it: whoever joins that has rights over the
// files of such owners alone (capable_wrt_inode_uidgid()). v1 groups are never given away, nor is one that was there before. Where
// there is no v2 group this does nothing.
int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err);

// One line a setting for `coso explain` ("memory: memory.limit_in_bytes = 67108864 in /sys/fs/cgroup/memory/coso/ID"), without
// making anything.
int cgroup_describe(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources,
		    struct strv *out_lines, struct err *err);

// --- Later, and in other processes ---

// The group as lines of text without line ends, for cgroup_reopen: "MADE:CONTROLLERS:FOLDER" a hierarchy, and "unit:system:NAME" or
// "unit:user:NAME" where it is systemd's. No line: there is no group.
void cgroup_record(const struct cgroup *cgroup, struct arena *arena, struct strv *out_lines);

// The group that a record tells of. Nothing is looked at: it may be gone by now, in whole or in part. Free with cgroup_close.
int cgroup_reopen(struct arena *arena, const struct strv *lines, struct cgroup *out_cgroup, struct err *err);

// After cgroup_detect: what is there of the group that cgroup_create makes from an id alone, for mending after a crash.
int cgroup_find(struct cgroup *cgroup, const char *id, struct err *err);

// Opens a group for joining, by an exec. Each of `below` is "PATH" or "CONTROLLER[,CONTROLLER]:PATH": a group below it, which must be
// there, in all hierarchies or in those of v1 that have the controllers. Without one, on v2 it is the group below it that `init` is in: a
// container that hands controllers down has no processes in its own.
int cgroup_open(struct cgroup *cgroup, const struct strv *below, pid_t init, struct err *err);

// Kills whatever is left in the group and in groups below it, and removes from every hierarchy what was made for it, waiting up to
// `timeout_ms` for the dying. What is gone already is no error.
int cgroup_remove(struct cgroup *cgroup, int timeout_ms, struct err *err);

struct cgroup_pids {
	pid_t *items; // ascending, in the caller's pid namespace; those that it can't see are left out
	size_t count;
};

// All processes in the group and in those below it. A group that is gone has none.
int cgroup_list(const struct cgroup *cgroup, struct arena *arena, struct cgroup_pids *out_pids, struct err *err);

// Sends a signal to all of them. SIGKILL ends all, the frozen and those that are being forked too. No process is no error.
int cgroup_signal(struct cgroup *cgroup, int signal, struct err *err);

// Freezes or thaws all of them, and returns once that is reached (ETIMEDOUT otherwise, and then they are as before). Where the group
// isn't in a hierarchy that can freeze, it is extended to one: *out_extended (or NULL) says that the record has changed.
int cgroup_freeze(struct cgroup *cgroup, bool frozen, int timeout_ms, bool *out_extended, struct err *err);

// On v1 not even SIGKILL reaches the frozen: thaws them there, as cgroup_freeze does. On v2 they die as they are.
int cgroup_thaw_killed(struct cgroup *cgroup, int timeout_ms, struct err *err);

// True if all of them are frozen; false also where that can't be known.
bool cgroup_is_frozen(const struct cgroup *cgroup);

// Sets what `resources` gives and leaves the rest; device rules are ignored. With memory_check a limit below what is used is refused
// ("rejecting memory limit"). On failure the old values are written back as far as they can be. A limit whose hierarchy the group isn't
// in extends it, as in cgroup_freeze.
int cgroup_update(struct cgroup *cgroup, const struct spec_resources *resources, bool *out_extended, struct err *err);

// What the group uses, as the `data` object of the event "stats" of runc's `events`, less what isn't the group's (intel_rdt,
// network_interfaces). What the kernel or the hierarchies don't tell is left out. NULL only without memory; json_decref it.
struct json_t *cgroup_stats(const struct cgroup *cgroup);

// What went wrong inside: the number of OOM kills so far, or -1 if it can't be known.
int64_t cgroup_oom_kills(const struct cgroup *cgroup);

struct cgroup_oom {
	int fd; // readable once something happened; -1: not watched
	bool v2;
	const char *folder; // of the group
	int64_t kills;      // seen so far
};

// Watches for processes of the group that run out of memory. Free with cgroup_oom_close.
int cgroup_oom_watch(const struct cgroup *cgroup, struct cgroup_oom *out_watch, struct err *err);

// Once `fd` is readable: makes it unreadable, and returns true if a process ran out of memory since the last time (false: the group
// went, or something else happened in it).
bool cgroup_oom_happened(struct cgroup_oom *watch);
void cgroup_oom_close(struct cgroup_oom *watch);
