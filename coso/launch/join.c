// SPDX-License-Identifier: GPL-2.0-or-later
// join.c - another process in a container that runs
//
// Theory of operation. The helper of spawn.c enters all namespaces of the container's first process at once, by its pidfd, and clones
// the new process there. What runs in the container can see it from then on, but, since it isn't dumpable, not look into it: not at
// its descriptors, nor at its program, which is ours until exec (CVE-2016-9962, CVE-2019-5736).
#include "coso/launch/join.h"

#include "coso/launch/exec.h"
#include "coso/launch/gate.h"
#include "coso/launch/keyring.h"
#include "coso/launch/label.h"
#include "coso/launch/launch.h"
#include "coso/launch/process.h"
#include "coso/launch/procfs.h"
#include "coso/launch/security.h"
#include "coso/launch/spawn.h"
#include "coso/launch/stage.h"
#include "coso/launch/tty.h"
#include "shared/fd.h"
#include "shared/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int run_filter(struct launch *launch, struct err *err)
{
	return seccomp_prepare(&launch->spec->process, launch->cache, &launch->seccomp, err);
}

static void undo_filter(struct launch *launch)
{
	seccomp_free(&launch->seccomp);
}

static int run_attributes(struct launch *launch, struct err *err)
{
	if (attributes_prepare(launch->spec, &launch->attributes, err) < 0)
		return -1;
	return label_check(&launch->spec->process, "/sys", err);
}

// Where something is done to the new process from outside, it waits for that.
static bool wants_gate(const struct launch *launch)
{
	return launch_wants_oom(launch) || launch_wants_raise(launch);
}

static int run_mapped(struct launch *launch, struct err *err)
{
	enum gate_kind kind = GATE_MAPPED;
	return gate_send(launch, &kind, sizeof(kind), err);
}

static int run_confirm(struct launch *launch, struct err *err)
{
	if (gate_confirm(launch, err) == 0)
		return 0;
	if (launch->heard.failed)
		launch->exit_code = launch->heard.exit_code;
	return -1;
}

static const struct stage outside[] = {
	{ "process", "check what the process is to have", NULL, NULL, run_attributes, NULL },
	{ "filter", "choose the system call filter", NULL, NULL, run_filter, undo_filter },
	{ "spawn", "make the process in the container's namespaces", NULL, NULL, spawn_run, spawn_undo },
	{ "oom", "set the OOM score", launch_wants_oom, NULL, launch_set_oom, NULL },
	{ "raise", "raise hard limits, which nobody in a user namespace can", launch_wants_raise, NULL, process_raise_limits,
	  NULL },
	{ "mapped", "gate 1: the process may go on", wants_gate, NULL, run_mapped, NULL },
	{ "confirm", "wait until the program is executed", NULL, NULL, run_confirm, NULL },
	{ 0 },
};

// Of what was the launcher's only that stays which this process works with: who may trace whatever runs in the container (CAP_SYS_PTRACE,
// without a user namespace) finds no folder of the host's.
static void close_others(const struct launch *launch)
{
	int kept[4 + CGROUP_HIERARCHIES_MAX] = { launch->gate[1], launch->report[1], launch->target, launch->cgroup_ns };
	size_t count = 4;
	for (size_t i = 0; i < launch->cgroup.count; i++)
		kept[count++] = launch->cgroup.hierarchies[i].join;
	fd_close_others(STDERR_FILENO + 1 + launch->preserved, kept, count);
}

// Should: be the container's root. Mustn't: be dumpable; it was made so.
static int run_begin(struct launch *launch, struct err *err)
{
	enum gate_kind kind;
	close_others(launch);
	if (wants_gate(launch) && gate_wait(launch, &kind, sizeof(kind), GATE_MAPPED, err) < 0)
		return -1;
	if (setsid() < 0)
		return err_sys(err, "start a session");
	proc_default_signals();
	umask(0);
	if (launch_has_userns(launch) && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return err_sys(err, "become the container's root");
	return launch->spec->keep_keyring ? 0 : keyring_join(launch->spec, err);
}

// With the host's CPUs first, then with the group's. What the kernel admits depends on the group.
static int run_cgroup(struct launch *launch, struct err *err)
{
	const struct attributes *a = &launch->attributes;
	if (attributes_set_initial_cpus(a, 0, err) < 0)
		return -1;
	if (launch->cgroup.path && cgroup_join(&launch->cgroup, launch->cgroup.v2 >= 0, err) < 0)
		return -1;
	if (spawn_enter_cgroup(launch, err) < 0)
		return -1;
	for (size_t i = 0; i < launch->cgroup.count; i++)
		fd_close(&launch->cgroup.hierarchies[i].join);
	if (attributes_set_final_cpus(a, 0, err) < 0 || attributes_set_io_priority(a, 0, err) < 0)
		return -1;
	return attributes_set_scheduler(a, 0, err);
}

static int run_proc(struct launch *launch, struct err *err)
{
	launch->proc = procfs_open(err);
	return launch->proc < 0 ? -1 : 0;
}

static bool wants_tty(const struct launch *launch)
{
	return launch->spec->process.terminal;
}

static bool wants_limits(const struct launch *launch)
{
	return launch->spec->process.rlimit_count;
}

static int run_exec(struct launch *launch, struct err *err)
{
	if (gate_report(launch, REPORT_EXECUTING, err) < 0)
		return -1;
	return exec_program(launch, err);
}

static const struct stage inside[] = {
	{ "begin", "be the container's root", NULL, NULL, run_begin, NULL },
	{ "proc", "open a proc that nobody can cover", security_wants_proc, NULL, run_proc, NULL },
	{ "cgroup", "join the control group; CPUs, scheduling, I/O priority", NULL, NULL, run_cgroup, NULL },
	{ "root", "open the container's root", NULL, NULL, rootfs_join, NULL },
	{ "lookup", "find the user in the container's files", NULL, NULL, process_lookup, NULL },
	{ "terminal", "make a pty of the container's own", wants_tty, NULL, tty_open, NULL },
	{ "process", "working folder, descriptors", NULL, NULL, process_prepare, NULL },
	{ "limits", "set resource limits", wants_limits, NULL, process_limit, NULL },
	{ "security", "filter, user, capabilities", NULL, NULL, security_apply, NULL },
	{ "exec", "become the program", NULL, NULL, run_exec, NULL },
	{ 0 },
};

int join_start(struct launch *launch, struct err *err)
{
	launch->inside = inside;
	if (stage_run(outside, launch, err) == 0)
		return 0;
	int code = launch->exit_code;
	join_end(launch);
	launch->exit_code = code;
	return -1;
}

void join_end(struct launch *launch)
{
	stage_undo(outside, launch);
	cgroup_close(&launch->cgroup);
}
