// SPDX-License-Identifier: GPL-2.0-or-later
// launch.c - the story of a launch as seen from outside
//
// Theory of operation. launch_start runs the table below. Everything that needs memory, parsing or compiling comes before `spawn`;
// from then on two processes run, this one and the child (child.c), and meet at two gates of one socket pair:
//
//      outside                                      inside
//      spawn  ---------- clone3 ------------------> waits for gate 1
//      idmap, layers: ids, id-mapped mounts
//      mapped ---------- gate 1 ------------------> root, mounts, devices, files …
//      network: runs the executable, meanwhile      … and waits for gate 2
//      go     ---------- gate 2, /etc/hosts ------> pivot_root, masks, terminal, user, security, exec
//      confirm <-------- pty, error pipe ---------- execve closes the pipe
//
// If either side dies the other sees its end of the socket pair or of the pipe close. launch_end undoes the same table.
#include "coso/launch/launch.h"

#include "coso/launch/adopt.h"
#include "coso/launch/delegate.h"
#include "coso/launch/devices.h"
#include "coso/launch/etcfiles.h"
#include "coso/launch/gate.h"
#include "coso/launch/hooks.h"
#include "coso/launch/idmap.h"
#include "coso/launch/label.h"
#include "coso/launch/process.h"
#include "coso/launch/procfs.h"
#include "coso/launch/spawn.h"
#include "coso/launch/stage.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CGROUP_REMOVE_MS = 10000 };

int launch_open_sources(struct launch *launch, struct err *err)
{
	return mounts_prepare(launch, err) < 0 ? -1 : devices_prepare(launch, err);
}

void launch_close_sources(struct launch *launch)
{
	fd_close(&launch->devices);
	fd_close(&launch->sysfs);
	mounts_close(launch);
}

static void describe_filter(const struct launch *launch, FILE *out)
{
	static const char *const names[] = {
		[SPEC_SECCOMP_DEFAULT] = "Docker's default profile",
		[SPEC_SECCOMP_UNCONFINED] = "none",
		[SPEC_SECCOMP_BARCO] = "barco's list",
		[SPEC_SECCOMP_FILE] = "profile of a file",
		[SPEC_SECCOMP_JSON] = "linux.seccomp of the configuration",
	};
	const struct spec_process *p = &launch->spec->process;
	fprintf(out, "             seccomp: %s%s%s\n", names[p->seccomp], p->seccomp_file ? ", " : "",
		p->seccomp_file ? p->seccomp_file : "");
}

static int run_attributes(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	if (attributes_prepare(spec, &launch->attributes, err) < 0 || timens_prepare(spec, &launch->timens, err) < 0)
		return -1;
	return label_check(&spec->process, "/sys", err);
}

static int run_filter(struct launch *launch, struct err *err)
{
	const struct spec_process *process = &launch->spec->process;
	if (seccomp_prepare(process, launch->cache, &launch->seccomp, err) < 0)
		return process->seccomp == SPEC_SECCOMP_FILE ? err_wrap(err, "--seccomp") : -1;
	return 0;
}

static void undo_filter(struct launch *launch)
{
	seccomp_free(&launch->seccomp);
}

bool launch_wants_cgroup(const struct launch *launch)
{
	return launch->spec->cgroup;
}

// Rules for devices that nobody asked for are left out where nothing takes them. From an ordinary user not even that user's own group does.
static struct spec_resources possible_resources(const struct launch *launch, const struct cgroup *cgroup)
{
	struct spec_resources resources = launch->spec->resources;
	if (resources.devices_default && (!launch->caller.privileged || !cgroup_takes_devices(cgroup)))
		resources.device_count = 0;
	return resources;
}

static struct cgroup_name group_name(const struct launch *launch)
{
	struct cgroup_name name = cgroup_name_of(launch->spec);
	if (launch->group)
		name.id = launch->group;
	return name;
}

static void describe_cgroup(const struct launch *launch, FILE *out)
{
	struct cgroup cgroup = { 0 };
	struct cgroup_name name = group_name(launch);
	struct strv lines = { 0 };
	struct err err;
	int result = cgroup_detect(launch->arena, &cgroup, &err);
	struct spec_resources resources = possible_resources(launch, &cgroup);
	if (result < 0 || cgroup_describe(&cgroup, &name, &resources, &lines, &err) < 0) {
		fprintf(out, "             would fail: %s\n", err.msg);
		return;
	}
	for (size_t i = 0; i < lines.count; i++)
		fprintf(out, "             %s\n", lines.items[i]);
}

int launch_make_cgroup(struct launch *launch, struct err *err)
{
	if (cgroup_detect(launch->arena, &launch->cgroup, err) < 0)
		return -1;
	struct cgroup_name name = group_name(launch);
	struct spec_resources resources = possible_resources(launch, &launch->cgroup);
	launch->no_devices = resources.device_count < launch->spec->resources.device_count;
	if (launch->no_devices && !launch_has_userns(launch)) // whose root can't make devices anyway
		log_warning("no control group can guard devices here, so the container can't make any: CAP_MKNOD is dropped");
	if (launch->plan && (cgroup_plan(&launch->cgroup, &name, &resources, err) < 0 || launch->plan(launch, err) < 0))
		return -1;
	return cgroup_create(&launch->cgroup, &name, &resources, err);
}

void launch_remove_cgroup(struct launch *launch)
{
	struct err err;
	if (launch->cgroup.path && cgroup_remove(&launch->cgroup, CGROUP_REMOVE_MS, &err) < 0) {
		log_warning("%s", err.msg);
		launch->unclean = true;
	}
	launch->cgroup.path = NULL;
	cgroup_close(&launch->cgroup);
}

static void describe_idmap(const struct launch *launch, FILE *out)
{
	for (size_t i = 0; i < launch->spec->uid_maps.count; i++) {
		const struct spec_idmap *m = &launch->spec->uid_maps.items[i];
		fprintf(out, "             uid %u-%u inside = %u-%u outside\n", m->container, m->container + m->size - 1, m->host,
			m->host + m->size - 1);
	}
}

static int run_idmap(struct launch *launch, struct err *err)
{
	const struct idmap map = { &launch->caller, &launch->spec->uid_maps, &launch->spec->gid_maps };
	return idmap_write(launch->arena, launch->pid, &map, err);
}

static bool wants_idmap(const struct launch *launch)
{
	return launch->spec->namespaces & CLONE_NEWUSER;
}

static bool wants_layers(const struct launch *launch)
{
	return launch_has_userns(launch) && launch->caller.privileged && launch_has_root(launch);
}

static int run_mapped(struct launch *launch, struct err *err)
{
	enum gate_kind kind = GATE_MAPPED;
	return gate_send(launch, &kind, sizeof(kind), err);
}

static bool wants_network(const struct launch *launch)
{
	return launch->spec->network.executable;
}

static void describe_network(const struct launch *launch, FILE *out)
{
	const struct spec_network *n = &launch->spec->network;
	fprintf(out, "             %s -pid PID\n", n->executable);
	for (size_t i = 0; i < n->publish.count; i++)
		fprintf(out, "             publish %s\n", n->publish.items[i]);
}

static bool has_note(const struct launch *launch)
{
	return launch->note;
}

static int run_note(struct launch *launch, struct err *err)
{
	return launch->note(launch, err);
}

static int run_go(struct launch *launch, struct err *err)
{
	static struct gate_message message; // 32 KiB: not for the stack
	const char *text = launch->hosts = etcfiles_hosts_text(launch);
	const char *resolv = etcfiles_resolv_text(launch);
	message.kind = GATE_GO;
	int size = snprintf(message.text, sizeof(message.text), "%s%c%s", text, 0, resolv);
	if ((size_t)size > sizeof(message.text) - GATE_ENDS)
		return err_set(err, E2BIG, "/etc/hosts and resolv.conf (--add-host, name servers): more than %d bytes in all",
			       GATE_TEXT_MAX - GATE_ENDS);
	return gate_send(launch, &message, offsetof(struct gate_message, text) + (size_t)size, err);
}

bool launch_wants_oom(const struct launch *launch)
{
	return launch->spec->process.oom_score_adj.given;
}

int launch_set_oom(struct launch *launch, struct err *err)
{
	own_fd int proc = procfs_open(err);
	return proc < 0 ? -1 : attributes_set_oom(&launch->attributes, proc, launch->pid, err);
}

bool launch_wants_raise(const struct launch *launch)
{
	return launch->spec->process.rlimit_count && launch_has_userns(launch);
}

static bool wants_scheduling(const struct launch *launch)
{
	return launch->spec->process.scheduler.given || launch->spec->process.io_priority.given;
}

static bool wants_rdt(const struct launch *launch)
{
	return launch->spec->rdt.given;
}

static int run_rdt(struct launch *launch, struct err *err)
{
	const char *root = rdt_find(launch->arena, NULL, err);
	if (!root)
		return -1;
	launch->rdt = rdt_locate(launch->arena, root, &launch->spec->rdt, launch->spec->id);
	if (rdt_make(&launch->rdt, err) < 0) {
		launch->rdt.group = NULL; // what is there isn't ours
		return -1;
	}
	return rdt_set(&launch->rdt, err);
}

static void undo_rdt(struct launch *launch)
{
	struct err err;
	if (launch->rdt.group && rdt_remove(&launch->rdt, &err) < 0) {
		log_warning("%s", err.msg);
		launch->unclean = true;
	}
	launch->rdt.group = NULL;
}

static int run_assign(struct launch *launch, struct err *err)
{
	return rdt_assign(&launch->rdt, launch->pid, err);
}

static bool wants_hooks(const struct launch *launch)
{
	const struct spec_hooks *hooks = launch->spec->hooks;
	return hooks[SPEC_HOOK_PRESTART].count || hooks[SPEC_HOOK_CREATE_RUNTIME].count;
}

bool launch_wants_mounted(const struct launch *launch)
{
	return wants_hooks(launch) || wants_scheduling(launch);
}

// By who has rights in the host's user namespace, for a process that is in its control groups by now.
static int run_scheduling(struct launch *launch, struct err *err)
{
	if (attributes_set_io_priority(&launch->attributes, launch->pid, err) < 0)
		return -1;
	return attributes_set_scheduler(&launch->attributes, launch->pid, err);
}

static int run_hooks(struct launch *launch, struct err *err)
{
	struct arena *a = launch->arena;
	const struct spec *spec = launch->spec;
	if (hooks_run(a, spec, SPEC_HOOK_PRESTART, hooks_state(a, spec, "created", launch->pid), err) < 0)
		return -1;
	return hooks_run(a, spec, SPEC_HOOK_CREATE_RUNTIME, hooks_state(a, spec, "creating", launch->pid), err);
}

static int run_confirm(struct launch *launch, struct err *err)
{
	if (gate_confirm(launch, err) == 0) {
		cgroup_close(&launch->cgroup); // it has joined
		return 0;
	}
	if (launch->heard.failed)
		launch->exit_code = launch->heard.exit_code;
	return -1;
}

static const struct stage outside[] = {
	{ "root", "open the rootfs, make the upper layer", launch_has_root, rootfs_describe, rootfs_prepare, rootfs_remove },
	{ "process", "check what the process is to have", NULL, NULL, run_attributes, NULL },
	{ "filter", "choose the system call filter", NULL, describe_filter, run_filter, undo_filter },
	{ "cgroup", "make a control group and set its limits", launch_wants_cgroup, describe_cgroup, launch_make_cgroup,
	  launch_remove_cgroup },
	{ "delegate", "give the group on v2 to the program's user", delegate_wanted, NULL, delegate_run, NULL },
	{ "rdt", "make resctrl groups", wants_rdt, NULL, run_rdt, undo_rdt },
	{ "sources", "open what will be mounted from the host", launch_has_root, NULL, launch_open_sources, launch_close_sources },
	{ "spawn", "clone3: the child, in new namespaces", NULL, spawn_describe, spawn_run, spawn_undo },
	{ "idmap", "map user and group ids", wants_idmap, describe_idmap, run_idmap, NULL },
	{ "layers", "id-map the layers and volumes, so that nothing is chowned", wants_layers, NULL, rootfs_idmap, NULL },
	{ "assign", "put the process into its resctrl groups", wants_rdt, NULL, run_assign, NULL },
	{ "oom", "set the OOM score", launch_wants_oom, NULL, launch_set_oom, NULL },
	{ "raise", "raise hard limits, which nobody in a user namespace can", launch_wants_raise, NULL, process_raise_limits,
	  NULL },
	{ "mapped", "gate 1: the child may be root and mount", NULL, NULL, run_mapped, NULL },
	{ "network", "run the network executable, while the child mounts", wants_network, describe_network, netexec_run,
	  netexec_release },
	{ "adopt", "move links of the host into the container", adopt_wanted, NULL, adopt_run, NULL },
	{ "note", "write down what is about to run, so that a crash can be mended", has_note, NULL, run_note, NULL },
	{ "mounted", "wait until the container's root is prepared", launch_wants_mounted, NULL, gate_wait_mounted, NULL },
	{ "schedule", "set scheduling and I/O priority", wants_scheduling, NULL, run_scheduling, NULL },
	{ "hooks", "run the prestart and createRuntime hooks", wants_hooks, NULL, run_hooks, NULL },
	{ "go", "gate 2: the network is there; hand over /etc/hosts and name servers", NULL, NULL, run_go, NULL },
	{ "confirm", "wait until the program is executed, or can be started", NULL, NULL, run_confirm, NULL },
	{ 0 },
};

void launch_init(struct launch *launch, struct arena *arena, const struct spec *spec)
{
	*launch = (struct launch){
		.spec = spec,
		.caller = caller_look(),
		.arena = arena,
		.folder = -1,
		.state = -1,
		.cache = -1,
		.trace = -1,
		.devices = -1,
		.sysfs = -1,
		.signals = -1,
		.rootfs = { .folder = -1, .lower = -1, .data = -1, .lock = -1, .staging = -1, .root = -1 },
		.cgroup = { .v2 = -1, .keeper = -1 },
		.gate = { -1, -1 },
		.report = { -1, -1 },
		.pidfd = -1,
		.console = -1,
		.proc = -1,
		.tty = -1,
		.start = -1,
		.target = -1,
		.cgroup_ns = -1,
		.hosts_file = -1,
		.resolv_file = -1,
		.exit_code = 125,
	};
}

static const struct stage *table_of(const struct launch *launch)
{
	return launch->outside ? launch->outside : outside;
}

int launch_start(struct launch *launch, struct err *err)
{
	if (stage_run(table_of(launch), launch, err) == 0)
		return 0;
	int code = launch->exit_code;
	stage_undo(table_of(launch), launch);
	launch->exit_code = code;
	return -1;
}

bool launch_is_interrupted(const struct launch *launch, struct err *err)
{
	if (launch->signals < 0 || fd_wait(launch->signals, 0) != 1)
		return false;
	err_set(err, EINTR, "the launch was interrupted");
	return true;
}

void launch_end(struct launch *launch)
{
	stage_undo(table_of(launch), launch);
}

void launch_explain(struct launch *launch, FILE *out)
{
	fprintf(out, "Outside, in coso:\n");
	stage_explain(outside, launch, out);
	fprintf(out, "\nInside, in the child, from gate 1 on:\n");
	launch_explain_child(launch, out);
}
