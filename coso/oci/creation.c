// SPDX-License-Identifier: GPL-2.0-or-later
// creation.c - a container that is being made
#include "coso/oci/creation.h"

#include "coso/engine/pidfile.h"
#include "coso/engine/supervise.h"
#include "coso/launch/hooks.h"
#include "coso/launch/start.h"
#include "coso/oci/console.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/proc.h"
#include "shared/stamp.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { RELAY_MS = 1000 }; // for the manager to take note of a program that has ended

void creation_init(struct creation *c, struct oci *oci)
{
	*c = (struct creation){ .oci = oci, .container = { .folder = -1 }, .console = -1, .pidfd_socket = -1, .ready = -1 };
}

void creation_finish(struct creation *c)
{
	json_decref(c->bundle.config);
	container_close(&c->container);
	fd_close(&c->console);
	fd_close(&c->pidfd_socket);
	fd_close(&c->ready);
}

int creation_check_terminal(const struct creation *c, struct err *err)
{
	bool terminal = c->spec.process.terminal, detached = c->waits || c->options.detach;
	if (detached && terminal && !c->options.console_socket)
		return err_set(err, EINVAL, "cannot allocate tty if coso will detach without setting console socket");
	if (c->options.console_socket && !(detached && terminal))
		return err_set(err, EINVAL, "cannot use console socket if coso will not detach or allocate tty");
	return 0;
}

int creation_read(struct creation *c, struct err *err)
{
	const char *given = c->options.bundle ? c->options.bundle : ".";
	char full[PATH_MAX];
	if (!realpath(given, full))
		return err_sys(err, "bundle '%s'", given);
	const char *bundle = arena_strdup(c->oci->arena, full);
	own_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "bundle '%s'", bundle);
	const struct bundle_file file = { dir, c->options.config ? c->options.config : "config.json", bundle, c->id };
	return bundle_read(c->oci->arena, &file, &c->spec, &c->bundle, err);
}

void creation_describe(struct creation *c)
{
	const struct spec *spec = &c->spec;
	struct container *k = &c->container;
	k->oci_version = spec->oci_version;
	k->bundle = spec->bundle;
	k->rootfs = spec->root.path;
	k->created = stamp_now(c->oci->arena);
	k->annotations = spec->annotations;
	k->annotation_count = spec->annotation_count;
	k->has_process = spec->process.args.count;
	k->rdt = spec->rdt.given;
	k->poststart = spec->hooks[SPEC_HOOK_POSTSTART].count;
	k->poststop = spec->hooks[SPEC_HOOK_POSTSTOP].count;
	k->notify = spec->process.seccomp_listener;
	k->manager = sdnotify_manager();
	k->notify_place = k->manager ? sdnotify_place(spec, k->manager) : NULL;
}

// systemd sees to it that no two units are called the same.
void creation_name_group(struct creation *c)
{
	if (c->oci->manager == SPEC_CGROUPFS)
		c->launch.group = cgroup_id(c->oci->arena, c->container.folder, "..", c->container.id);
}

// As long as nothing is in it, a group that was there before ("0:…", cgroup_record) isn't ours to empty: it may turn out to be in use.
static void record_group(struct creation *c, bool planned)
{
	struct strv lines = { 0 };
	cgroup_record(&c->launch.cgroup, c->oci->arena, &lines);
	c->container.cgroup = (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) {
		if (!planned || !str_starts(lines.items[i], "0:"))
			strv_push(c->oci->arena, &c->container.cgroup, lines.items[i]);
	}
}

int creation_note(struct launch *launch, struct err *err)
{
	struct creation *c = launch->owner;
	struct container *k = &c->container;
	record_group(c, launch->pid == 0);
	k->pid = launch->pid;
	k->pid_start = k->pid ? proc_start_time(k->pid) : 0;
	k->pid_namespace = launch->spec->namespaces & CLONE_NEWPID;
	return container_write(k, err);
}

int creation_connect(struct creation *c, struct err *err)
{
	if (c->options.console_socket && (c->console = console_connect(c->options.console_socket, err)) < 0)
		return err_wrap(err, "--console-socket");
	if (c->options.pidfd_socket && (c->pidfd_socket = console_connect(c->options.pidfd_socket, err)) < 0)
		return err_wrap(err, "--pidfd-socket");
	return 0;
}

// What the caller waits for, in the order in which engines look at it.
int creation_hand_over(struct creation *c, struct err *err)
{
	if (c->console >= 0 && console_send(c->console, c->launch.console, err) < 0)
		return err_wrap(err, "--console-socket");
	if (c->pidfd_socket >= 0 && console_send(c->pidfd_socket, c->launch.pidfd, err) < 0)
		return err_wrap(err, "--pidfd-socket");
	if (c->waits && start_allow(c->container.folder, err) < 0)
		return -1;
	if (c->options.pid_file && pidfile_write(c->options.pid_file, c->launch.pid, err) < 0)
		return err_wrap(err, "--pid-file");
	return 0;
}

int creation_poststart(struct creation *c, struct err *err)
{
	struct arena *a = c->oci->arena;
	if (!c->container.poststart)
		return 0;
	return hooks_run(a, &c->spec, SPEC_HOOK_POSTSTART, hooks_state(a, &c->spec, "running", c->launch.pid), err);
}

// The launch takes back what it made itself; what its record tells beside that was never made, or is somebody else's.
void creation_give_up(struct creation *c)
{
	struct err left;
	if (c->launch.spec)
		launch_end(&c->launch);
	if (!c->launch.unclean)
		c->container.cgroup = (struct strv){ 0 };
	if (c->options.pid_file && c->launch.pid)
		unlink(c->options.pid_file);
	if (container_remove(&c->container, &left) < 0)
		log_warning("%s", left.msg);
}

// While this process supervises, another one waits until the program is ready. Returns its pidfd, or -1: there is none.
static int fork_relay(struct creation *c)
{
	int pidfd = -1;
	struct err err;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	if (c->ready < 0 || sys_clone3(&args) != 0)
		return pidfd;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	proc_default_signals();
	sdnotify_relay(c->ready, c->launch.pidfd, c->launch.pid, c->container.manager, &err);
	_exit(0);
}

static void end_relay(int pidfd)
{
	int status;
	if (pidfd < 0 || proc_wait(pidfd, RELAY_MS, &status) == 1)
		return;
	sys_pidfd_send_signal(pidfd, SIGKILL);
	proc_wait(pidfd, -1, &status);
}

int creation_supervise(struct creation *c, int *out_exit_code, struct err *err)
{
	const struct supervise s = {
		.pidfd = c->launch.pidfd,
		.console = c->launch.console,
		.input = STDIN_FILENO,
		.output = STDOUT_FILENO,
		.every = true,
	};
	container_unlock(&c->container);
	own_fd int relay = fork_relay(c);
	int result = supervise_run(&s, out_exit_code, err);
	end_relay(relay);
	if (result < 0)
		return -1;
	fd_close(&c->launch.pidfd); // it was waited for
	if (c->options.keep)
		return 0;
	struct err ignored;
	if (container_lock(&c->container, &ignored) < 0) // somebody else has deleted it, or is about to
		return 0;
	return container_remove(&c->container, err);
}

int creation_wait_until_ready(struct creation *c, const sigset_t *old, struct err *err)
{
	if (c->ready < 0)
		return 0;
	container_unlock(&c->container);
	sigprocmask(SIG_SETMASK, old, NULL);
	return sdnotify_relay(c->ready, c->launch.pidfd, c->launch.pid, c->container.manager, err);
}
