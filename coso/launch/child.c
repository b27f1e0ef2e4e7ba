// SPDX-License-Identifier: GPL-2.0-or-later
// child.c - the story of a launch as seen from inside: from clone3 to exec
//
// This process only makes system calls: what needs memory or parsing was done before clone3. It is a copy of the launcher, so all
// that it inherits is CLOEXEC or closed here. It starts with every capability in its new user namespace, and as nobody until gate 1.
#include "coso/launch/devices.h"
#include "coso/launch/etcfiles.h"
#include "coso/launch/exec.h"
#include "coso/launch/gate.h"
#include "coso/launch/hooks.h"
#include "coso/launch/init.h"
#include "coso/launch/keyring.h"
#include "coso/launch/launch.h"
#include "coso/launch/lo.h"
#include "coso/launch/masks.h"
#include "coso/launch/names.h"
#include "coso/launch/process.h"
#include "coso/launch/procfs.h"
#include "coso/launch/security.h"
#include "coso/launch/spawn.h"
#include "coso/launch/stage.h"
#include "coso/launch/start.h"
#include "coso/launch/trace.h"
#include "coso/launch/tty.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has(const struct launch *launch, unsigned long flag)
{
	return launch->spec->namespaces & flag;
}

// Should: have the ids of the container's root. The signal mask and dispositions are made those of a fresh process.
static int run_begin(struct launch *launch, struct err *err)
{
	enum gate_kind kind;
	if (gate_wait(launch, &kind, sizeof(kind), GATE_MAPPED, err) < 0)
		return -1;
	if (setsid() < 0 && errno != EPERM)
		return err_sys(err, "start a session");
	proc_default_signals();
	umask(0);
	if (launch_has_userns(launch) && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return err_sys(err, "become the container's root");
	return launch->spec->keep_keyring ? 0 : keyring_join(launch->spec, err);
}

static bool wants_proc(const struct launch *launch)
{
	return has(launch, CLONE_NEWTIME) || launch->spec->sysctl.count || security_wants_proc(launch);
}

// Should: come while nothing of the container's is mounted.
static int run_proc(struct launch *launch, struct err *err)
{
	launch->proc = procfs_open(err);
	if (launch->proc < 0)
		return -1;
	return has(launch, CLONE_NEWTIME) ? timens_enter(&launch->timens, launch->proc, err) : 0;
}

static bool wants_cgroup(const struct launch *launch)
{
	return launch->spec->cgroup || has(launch, CLONE_NEWCGROUP);
}

// Should: join first; a cgroup namespace is rooted where its maker is.
static int run_cgroup(struct launch *launch, struct err *err)
{
	bool into = launch->cgroup.v2 >= 0;
	if ((launch->cgroup.path && cgroup_join(&launch->cgroup, into, err) < 0) || spawn_enter_cgroup(launch, err) < 0)
		return -1;
	if (has(launch, CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "unshare the cgroup namespace");
	if (launch->spec->resources.cpuset_cpus)
		attributes_free_cpus(0);
	return 0;
}

static void describe_mounts(const struct launch *launch, FILE *out)
{
	for (size_t i = 0; i < launch->spec->mount_count; i++) {
		const struct spec_mount *m = &launch->spec->mounts[i];
		fprintf(out, "             %s%s%s on %s%s\n", m->type, m->source ? " " : "", m->source ? m->source : "",
			m->destination, m->attr_set & MOUNT_ATTR_RDONLY ? " (read-only)" : "");
	}
}

static bool wants_etcfiles(const struct launch *launch)
{
	return launch->spec->etc_files && launch_has_mountns(launch);
}

static bool wants_limits(const struct launch *launch)
{
	return launch->spec->process.rlimit_count;
}

static bool wants_lo(const struct launch *launch)
{
	return has(launch, CLONE_NEWNET);
}

static int run_lo(struct launch *launch, struct err *err)
{
	(void)launch;
	return lo_raise(err);
}

// Should: have all mounts made when hooks of the runtime run, and the network up when those of the container do.
static int run_go(struct launch *launch, struct err *err)
{
	const char *hosts, *resolv;
	if (launch_wants_mounted(launch) && gate_say(launch, GATE_MOUNTED, NULL, err) < 0)
		return -1;
	if (gate_wait_go(launch, &hosts, &resolv, err) < 0)
		return -1;
	return etcfiles_fill(launch, hosts, resolv, err);
}

static int run_masks(struct launch *launch, struct err *err)
{
	if (masks_apply(launch, err) < 0 || process_make_folder(launch, err) < 0)
		return -1;
	return rootfs_protect(launch, err);
}

static bool wants_tty(const struct launch *launch)
{
	return launch->spec->process.terminal;
}

static bool wants_init(const struct launch *launch)
{
	return launch->spec->process.init;
}

static bool wants_container_hooks(const struct launch *launch)
{
	return launch->spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count;
}

static int run_container_hooks(struct launch *launch, struct err *err)
{
	return hooks_run_inside(launch, SPEC_HOOK_CREATE_CONTAINER, err);
}

static bool wants_start_hooks(const struct launch *launch)
{
	return launch->spec->hooks[SPEC_HOOK_START_CONTAINER].count;
}

static int run_start_hooks(struct launch *launch, struct err *err)
{
	return hooks_run_inside(launch, SPEC_HOOK_START_CONTAINER, err);
}

static bool waits(const struct launch *launch)
{
	return launch->start >= 0;
}

static int run_exec(struct launch *launch, struct err *err)
{
	if (gate_report(launch, REPORT_EXECUTING, err) < 0)
		return -1;
	trace_event(launch->trace, "exec", TRACE_END);
	return exec_program(launch, err);
}

static const struct stage inside[] = {
	{ "begin", "gate 1: ids are mapped; be the container's root", NULL, NULL, run_begin, NULL },
	{ "proc", "open a proc that nobody can cover; enter a new time namespace", wants_proc, NULL, run_proc, NULL },
	{ "cgroup", "join the control group, then unshare its namespace", wants_cgroup, NULL, run_cgroup, NULL },
	{ "attach", "make mounts private; mount the root", launch_has_root, NULL, rootfs_attach, NULL },
	{ "mounts", "mount what the container sees", launch_has_root, describe_mounts, mounts_attach, NULL },
	{ "devices", "make device nodes and links in /dev", launch_has_root, NULL, devices_make, NULL },
	{ "etcfiles", "bind /etc/resolv.conf, hosts and hostname", wants_etcfiles, NULL, etcfiles_bind, NULL },
	{ "lo", "bring up the loopback interface", wants_lo, NULL, run_lo, NULL },
	{ "go", "gate 2: the network is there", NULL, NULL, run_go, NULL },
	{ "hooks", "run the createContainer hooks", wants_container_hooks, NULL, run_container_hooks, NULL },
	{ "pivot", "pivot_root: every mount of the host is gone", launch_has_root, NULL, rootfs_pivot, NULL },
	{ "names", "set host name and sysctls", names_wanted, names_describe, names_set, NULL },
	{ "masks", "mask and protect paths of /proc and /sys", launch_has_root, NULL, run_masks, NULL },
	{ "lookup", "find the user in the container's files", NULL, NULL, process_lookup, NULL },
	{ "terminal", "make a pty of the container's own", wants_tty, NULL, tty_open, NULL },
	{ "process", "working folder, descriptors", NULL, NULL, process_prepare, NULL },
	{ "exec", "find the program", waits, NULL, exec_check, NULL },
	{ "wait", "say that all is ready, and wait to be started", waits, NULL, start_wait, NULL },
	{ "limits", "set resource limits", wants_limits, NULL, process_limit, NULL },
	{ "security", "filter, user, capabilities", NULL, security_describe, security_apply, NULL },
	{ "init", "stay as pid 1 and reap; the program is a child", wants_init, NULL, init_fork, NULL },
	{ "hooks", "run the startContainer hooks", wants_start_hooks, NULL, run_start_hooks, NULL },
	{ "exec", "become the program", NULL, NULL, run_exec, NULL },
	{ 0 },
};

void launch_explain_child(const struct launch *launch, FILE *out)
{
	stage_explain(inside, launch, out);
}

void launch_child(struct launch *launch)
{
	struct report report = { .kind = REPORT_FAILED };
	prctl(PR_SET_PDEATHSIG,
	      SIGKILL); // until the last change of credentials sets it for good; a detached one's parent is its monitor
	fd_close(&launch->gate[0]);
	fd_close(&launch->report[0]);
	fd_close(&launch->signals);
	fd_close(&launch->state); // its lock is the launcher's alone
	stage_run(launch->inside ? launch->inside : inside, launch, &report.err);
	report.exit_code = launch->exit_code;
	(void)!write(launch->report[1], &report, sizeof(report));
	_exit(launch->exit_code);
}
