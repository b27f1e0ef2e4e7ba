// SPDX-License-Identifier: GPL-2.0-or-later
// attributes.h - what a process has besides ids, rights and limits: scheduling, I/O priority, CPUs, memory nodes, personality, OOM score
//
// attributes_prepare is called outside, before the first process is made, and reads and checks all. The others only make system calls,
// and do nothing where the spec says nothing. Those with a `pid` also serve from outside (0: the calling process): the kernel asks for
// CAP_SYS_NICE and CAP_SYS_RESOURCE in the host's user namespace, so that a process in a user namespace of its own has no right to
// real-time policies, to a higher I/O class or to a lower OOM score, but its launcher may give it these. OCI config.md and
// config-linux.md are the source of what is allowed together.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"
#include "shared/list.h"

#include <sys/types.h>

struct attributes {
	const struct spec *spec;
	struct list nodes;                    // of the memory policy
	struct list cpus_initial, cpus_final; // of execCPUAffinity
};

// What is wrong, or wrong together, is an error that names the property. 0 or -1.
int attributes_prepare(const struct spec *spec, struct attributes *out, struct err *err);

// Writes oom_score_adj. `proc` is of procfs_open; `pid` as that proc knows it, 0: the calling process. Should: be called from outside as
// soon as there is a pid, or inside before the process changes its ids, since then the file is no longer its own (proc(5), dumpable).
int attributes_set_oom(const struct attributes *attributes, int proc, pid_t pid, struct err *err);

// sched_setattr(2). Should: be called after the process joined its control groups, since SCHED_DEADLINE is admitted by the CPUs of its
// cpuset. Mustn't: be followed by a fork, which the kernel refuses to a SCHED_DEADLINE process, nor by a change of its CPUs.
int attributes_set_scheduler(const struct attributes *attributes, pid_t pid, struct err *err);

// ioprio_set(2) for a whole process group; 0: the caller's. Should: be called after setsid(2).
int attributes_set_io_priority(const struct attributes *attributes, pid_t group, struct err *err);

// execCPUAffinity, for a process that `exec` makes and never for the container's first one: the initial list before the process
// enters the container's control groups, the final one after that. sched_setaffinity(2)
int attributes_set_initial_cpus(const struct attributes *attributes, pid_t pid, struct err *err);
int attributes_set_final_cpus(const struct attributes *attributes, pid_t pid, struct err *err);

// All the CPUs of its cpuset, whatever the caller was bound to: for the container's first process once it is in its control groups.
// Failure means nothing: then it stays as it was.
void attributes_free_cpus(pid_t pid);

// set_mempolicy(2), personality(2), umask(2) (022 unless given): inside, of the calling process, at any time before the filter; the
// policy after the control groups, whose cpuset has the nodes.
int attributes_set_memory_policy(const struct attributes *attributes, struct err *err);
int attributes_set_personality(const struct attributes *attributes, struct err *err);
void attributes_set_umask(const struct attributes *attributes);

// Gives the descriptors 0 to 2 to the user `uid` and the group `gid`, so that it may open /dev/stdout again. Devices keep their owner; what can't be given
// (another user's, on a read-only file system, an id that the file system doesn't have) stays. Inside: before the capabilities go.
int attributes_give_streams(uid_t uid, gid_t gid, struct err *err);

// The supplementary groups: exactly these, or with keep_groups those of the caller. `denied`: setgroups(2) is, to this user namespace;
// then groups that process.user.additionalGids names are an error. Inside: before the ids change.
int attributes_set_groups(const struct attributes *attributes, const uint32_t *groups, size_t count, bool denied, struct err *err);
