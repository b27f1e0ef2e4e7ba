// SPDX-License-Identifier: GPL-2.0-or-later
// launch.h - starts the container that a spec describes; the one place that does
//
// Order of use: fill in `spec`, `arena`, `data`, `folder`, `state` and `trace`, launch_start, wait for `pidfd` (and close
// it once the child was waited for), launch_end.
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/launch/attributes.h"
#include "coso/launch/gate.h"
#include "coso/launch/mounts.h"
#include "coso/launch/netexec.h"
#include "coso/launch/rdt.h"
#include "coso/launch/rootfs.h"
#include "coso/launch/seccomp.h"
#include "coso/launch/timens.h"
#include "coso/launch/user.h"
#include "coso/spec/caller.h"
#include "coso/spec/spec.h"
#include "shared/err.h"

#include <sched.h>
#include <stdio.h>
#include <sys/types.h>

struct launch {
	const struct spec *spec;
	struct arena *arena;
	int folder;       // the container's folder, open, in which "data" is made
	const char *data; // its "data", for upper, work and caches of this container; made by the launch, removed by launch_end
	const char *state_path; // /run/coso/<id>, the engine's; debts to the network executable are noted there
	int state;              // the same folder, open; -1: none
	const char *group;      // cgroup_id: what its control group is called without a cgroupsPath; NULL: as the container
	int cache;              // folder of compiled seccomp filters, or -1
	int trace;              // of trace_open, or -1
	int signals;            // once it is readable or hung up the launch ends, with EINTR; -1: nothing interrupts it
	// Called once it is decided which group will be made, before it is: who notes that can remove it after a crash. NULL: nobody
	int (*plan)(struct launch *launch, struct err *err);
	// Called once `pid` is known and before its program can start: whatever dies from then on, somebody can end it. NULL: nobody
	int (*note)(struct launch *launch, struct err *err);
	void *owner;                   // for these two
	int start;                     // of start_listen: once all is ready the child waits there to be started; -1: it goes on
	int target;                    // join.h: pidfd of the process whose namespaces are all entered; -1: those of the spec
	const struct stage *outside;   // restore.h: the table that is run; NULL: that of a launch
	const struct restore *restore; // of which images; NULL: it is none
	const struct stage *inside;    // join.h: the table that the child runs; NULL: that of a launch
	int preserved;                 // how many descriptors from 3 on the program inherits

	// privileged: trees are cloned and id-mapped from outside; else the child does what its own user namespace allows
	struct caller caller;
	bool no_devices; // no device rules can be set: the root is mounted nodev, and CAP_MKNOD is dropped
	struct rootfs rootfs;
	struct mounts mounts;
	int sysfs;   // of a network namespace that is joined, made while in it; -1: none
	int devices; // tmpfs with the spec's device nodes, named by their index; -1: none
	struct seccomp seccomp;
	struct attributes attributes;
	struct timens timens;
	struct rdt rdt; // group NULL: none
	struct cgroup cgroup;
	int gate[2];   // SOCK_SEQPACKET: [0] outside, [1] inside
	int report[2]; // pipe: [0] outside reads, [1] inside writes one struct report, or nothing: it has exec'd
	pid_t pid;     // the container's first process, in the caller's pid namespace
	int pidfd;
	struct netexec network;
	int console;  // master of the container's pty, or -1
	bool unclean; // something couldn't be undone, and was warned about: it is still there
	struct gate_heard heard;
	char *hosts; // text for /etc/hosts, complete when gate 2 opens

	// Inside only.
	int cgroup_ns;   // of spawn_enter_cgroup; -1: none
	int proc;        // of procfs_open, where something is written to proc; or -1
	int tty;         // slave of its pty, or -1
	int hosts_file;  // /etc/hosts, on the staging tmpfs, filled once the network is known
	int resolv_file; // /etc/resolv.conf likewise, or -1
	struct user user;
	int exit_code; // what a failure means to a shell: 125, 126 or 127
};

// The path of the namespace of a kind (CLONE_NEW*) that the container joins, or NULL.
static inline const char *launch_joined(const struct launch *launch, unsigned long flag)
{
	for (size_t i = 0; i < launch->spec->join_count; i++) {
		if (launch->spec->joins[i].flag == flag)
			return launch->spec->joins[i].path;
	}
	return NULL;
}

// True if the container's namespace of that kind isn't the caller's: it is new, or joined, or has been (join.h).
static inline bool launch_has(const struct launch *launch, unsigned long flag)
{
	return (launch->spec->namespaces & flag) || launch_joined(launch, flag);
}

// The namespaces in `spec` that are new are the container's by now.
static inline bool launch_is_join(const struct launch *launch)
{
	return launch->target >= 0;
}

static inline bool launch_has_mountns(const struct launch *launch)
{
	return launch_has(launch, CLONE_NEWNS);
}

// True if the container has a root of its own, rather than the caller's.
static inline bool launch_has_root(const struct launch *launch)
{
	return launch->spec->root.path;
}

static inline bool launch_has_userns(const struct launch *launch)
{
	return launch_has(launch, CLONE_NEWUSER);
}

void launch_init(struct launch *launch, struct arena *arena, const struct spec *spec);

// True if the outside waits at GATE_MOUNTED.
bool launch_wants_mounted(const struct launch *launch);

// Outside: writes the OOM score of the new process, if the spec has one. A stage of both tables.
bool launch_wants_oom(const struct launch *launch);
int launch_set_oom(struct launch *launch, struct err *err);

// Outside: whether there are resource limits to raise from there. process.h
bool launch_wants_raise(const struct launch *launch);

// Outside: the container's control group, as the spec has it. Stages of more than one table.
bool launch_wants_cgroup(const struct launch *launch);
int launch_make_cgroup(struct launch *launch, struct err *err);
void launch_remove_cgroup(struct launch *launch);

// Outside: what will be mounted from the host. Likewise.
int launch_open_sources(struct launch *launch, struct err *err);
void launch_close_sources(struct launch *launch);

// Returns 0 once the container's program was executed, or, with `start`, once it waits to be started. On failure everything is undone; launch->exit_code is 125, 126 or 127.
// err->code EINTR: `signals` said so. EUSERS: a user namespace that the spec has as `userns_auto` can't be had here; launch again without it.
int launch_start(struct launch *launch, struct err *err);

// After the container's end: gives back what launch_start made (cgroup, upper, network's debts).
void launch_end(struct launch *launch);

// True, with EINTR in `err`, if `signals` says that the launch is to end.
bool launch_is_interrupted(const struct launch *launch, struct err *err);

// Prints both tables for this spec, running nothing.
void launch_explain(struct launch *launch, FILE *out);

// The stages inside, run by the child of clone3. child.c
void launch_child(struct launch *launch) __attribute__((noreturn));
void launch_explain_child(const struct launch *launch, FILE *out);
