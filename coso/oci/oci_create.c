// SPDX-License-Identifier: GPL-2.0-or-later
// oci_create.c - create and run
//
// Theory of operation. Both make the container's folder, launch, and hand over what the caller waits for. create leaves the first
// process waiting (launch/start.h) and ends; run goes on to supervise it, or, detached, ends too. What can't be finished is removed.
#include "coso/engine/pidfile.h"
#include "coso/engine/place.h"
#include "coso/engine/supervise.h"
#include "coso/launch/hooks.h"
#include "coso/launch/launch.h"
#include "coso/launch/selfexe.h"
#include "coso/launch/start.h"
#include "coso/oci/activation.h"
#include "coso/oci/bundle.h"
#include "coso/oci/console.h"
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/installed.h"
#include "shared/num.h"
#include "shared/opts.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/stamp.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { RELAY_MS = 1000 }; // for the manager to take note of a program that has ended

struct options {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *preserve_fds;
	bool no_pivot, no_new_keyring, no_subreaper, detach, keep;
};

#define OPTION(field) offsetof(struct options, field)
#define COMMON                                                                                                                     \
	{ "bundle", 'b', OPT_TEXT, OPTION(bundle), "DIR", "folder of the bundle (.)" },                                            \
		{ "config", 'f', OPT_TEXT, OPTION(config), "FILE", "its configuration (config.json)" },                            \
		{ "console-socket", 0, OPT_TEXT, OPTION(console_socket), "SOCKET", "send the terminal there" },                    \
		{ "pidfd-socket", 0, OPT_TEXT, OPTION(pidfd_socket), "SOCKET", "send a pidfd of the first process there" },        \
		{ "pid-file", 0, OPT_TEXT, OPTION(pid_file), "FILE", "write its pid there" },                                      \
		{ "no-pivot", 0, OPT_FLAG, OPTION(no_pivot), NULL, "chroot instead of pivot_root" },                               \
		{ "no-new-keyring", 0, OPT_FLAG, OPTION(no_new_keyring), NULL, "keep the caller's session keyring" },              \
		{ "preserve-fds", 0, OPT_TEXT, OPTION(preserve_fds), "N", "pass N more descriptors on" },                          \
	{                                                                                                                          \
		"no-subreaper", 0, OPT_FLAG, OPTION(no_subreaper), NULL, NULL                                                      \
	}

static const struct opt create_table[] = { COMMON, { "detach", 'd', OPT_FLAG, OPTION(detach), NULL, NULL }, { 0 } };
static const struct opt run_table[] = {
	COMMON,
	{ "detach", 'd', OPT_FLAG, OPTION(detach), NULL, "don't wait for its end" },
	{ "keep", 0, OPT_FLAG, OPTION(keep), NULL, "don't delete it in the end" },
	{ 0 },
};

struct creation {
	struct oci *oci;
	struct options options;
	bool waits; // create: its program is started later
	const char *id;
	struct spec spec;
	struct bundle bundle;
	struct container container;
	struct launch launch;
	struct activation activation;
	int console, pidfd_socket; // connected, or -1
	int ready;                 // of sdnotify_listen, or -1
};

static int check_terminal(const struct creation *c, struct err *err)
{
	bool terminal = c->spec.process.terminal, detached = c->waits || c->options.detach;
	if (detached && terminal && !c->options.console_socket)
		return err_set(err, EINVAL, "cannot allocate tty if coso will detach without setting console socket");
	if (c->options.console_socket && !(detached && terminal))
		return err_set(err, EINVAL, "cannot use console socket if coso will not detach or allocate tty");
	return 0;
}

// Our binary would be the container's to write if its root is ours: we run from a copy, from before anything is read.
static int protect_self(struct creation *c, struct err *err)
{
	if (geteuid() != 0 || installed_is_copy())
		return 0;
	if (activation_keep(&c->activation, err) < 0)
		return -1;
	return selfexe_protect(c->oci->whole, err);
}

static int read_bundle(struct creation *c, struct err *err)
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

static int complete_spec(struct creation *c, struct err *err)
{
	struct spec *spec = &c->spec;
	if (!c->waits && !spec->process.args.count)
		return err_set(err, EINVAL, "process: the configuration has none to run");
	spec->root.no_pivot = c->options.no_pivot;
	spec->keep_keyring = c->options.no_new_keyring;
	spec->cgroup_manager = c->oci->manager;
	spec->cgroup = c->oci->manager != SPEC_CGROUP_DISABLED;
	activation_apply(&c->activation, spec);
	return check_terminal(c, err);
}

static void describe(struct creation *c)
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

static int note(struct launch *launch, struct err *err)
{
	struct creation *c = launch->owner;
	struct container *k = &c->container;
	record_group(c, launch->pid == 0);
	k->pid = launch->pid;
	k->pid_start = k->pid ? proc_start_time(k->pid) : 0;
	k->pid_namespace = launch_has(launch, CLONE_NEWPID);
	return container_write(k, err);
}

static int connect_sockets(struct creation *c, struct err *err)
{
	if (c->options.console_socket && (c->console = console_connect(c->options.console_socket, err)) < 0)
		return err_wrap(err, "--console-socket");
	if (c->options.pidfd_socket && (c->pidfd_socket = console_connect(c->options.pidfd_socket, err)) < 0)
		return err_wrap(err, "--pidfd-socket");
	return 0;
}

// create leaves the socket to start.
static int prepare_notification(struct creation *c, struct err *err)
{
	const struct container *k = &c->container;
	if (!k->manager)
		return 0;
	if (sdnotify_prepare(&c->spec, k->folder, arena_printf(c->oci->arena, "%s/%s", k->root, k->id), err) < 0)
		return -1;
	if (!c->waits && (c->ready = sdnotify_listen(k->folder, err)) < 0)
		return -1;
	return 0;
}

static int start_launch(struct creation *c, struct err *err)
{
	struct launch *launch = &c->launch;
	launch_init(launch, c->oci->arena, &c->spec);
	launch->state = c->container.folder;
	launch->plan = launch->note = note;
	launch->owner = c;
	launch->preserved = c->activation.count;
	own_fd int signals = supervise_open_ending(err);
	if (signals < 0 || connect_sockets(c, err) < 0 || prepare_notification(c, err) < 0)
		return -1;
	if (file_replace(c->container.folder, "config.json", c->bundle.text, c->bundle.size, 0600, err) < 0)
		return -1;
	if (c->waits && (launch->start = start_listen(c->container.folder, err)) < 0)
		return -1;
	own_fd int cache = c->spec.process.seccomp == SPEC_SECCOMP_JSON ? place_open_cache(c->oci->arena) : -1;
	launch->signals = signals;
	launch->cache = cache;
	int result = launch_start(launch, err);
	launch->signals = launch->cache = -1;
	fd_close(&launch->start);
	return result;
}

// What the caller waits for, in the order in which engines look at it.
static int hand_over(struct creation *c, struct err *err)
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

static int run_poststart(struct creation *c, struct err *err)
{
	struct arena *a = c->oci->arena;
	if (!c->container.poststart)
		return 0;
	return hooks_run(a, &c->spec, SPEC_HOOK_POSTSTART, hooks_state(a, &c->spec, "running", c->launch.pid), err);
}

// The launch takes back what it made itself; what its record tells beside that was never made, or is somebody else's.
static void give_up(struct creation *c)
{
	struct err ignored;
	if (c->launch.spec)
		launch_end(&c->launch);
	if (!c->launch.unclean)
		c->container.cgroup = (struct strv){ 0 };
	if (c->options.pid_file && c->launch.pid)
		unlink(c->options.pid_file);
	(void)container_remove(&c->container, &ignored);
}

static int make(struct creation *c, struct err *err)
{
	if (read_bundle(c, err) < 0 || complete_spec(c, err) < 0)
		return -1;
	if (container_make(c->oci->arena, c->oci->root, c->id, &c->container, err) < 0)
		return -1;
	describe(c);
	if (start_launch(c, err) == 0 && hand_over(c, err) == 0 && (c->waits || run_poststart(c, err) == 0))
		return 0;
	give_up(c);
	return -1;
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

static int supervise(struct creation *c, int *out_exit_code, struct err *err)
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

static int begin(struct oci *oci, struct creation *c, const struct opt *table, struct err *err)
{
	*c = (struct creation){ .oci = oci, .container = { .folder = -1 }, .console = -1, .pidfd_socket = -1, .ready = -1 };
	int help = oci_options(oci, table, &c->options, err);
	if (help)
		return help;
	c->id = oci_id(oci, err);
	if (!c->id || activation_read(c->options.preserve_fds, &c->activation, err) < 0)
		return -1;
	return protect_self(c, err);
}

static void finish(struct creation *c)
{
	json_decref(c->bundle.config);
	container_close(&c->container);
	fd_close(&c->console);
	fd_close(&c->pidfd_socket);
	fd_close(&c->ready);
}

// Whoever waits for `run --detach` waits until the program is ready, as with start.
static int wait_until_ready(struct creation *c, const sigset_t *old, struct err *err)
{
	if (c->ready < 0)
		return 0;
	container_unlock(&c->container);
	sigprocmask(SIG_SETMASK, old, NULL);
	return sdnotify_relay(c->ready, c->launch.pidfd, c->launch.pid, c->container.manager, err);
}

int oci_cmd_create(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct creation c;
	sigset_t old;
	*out_exit_code = 0;
	int result = begin(oci, &c, create_table, err);
	if (result)
		return result < 0 ? -1 : 0;
	c.waits = true;
	supervise_block(true, &old);
	result = make(&c, err);
	finish(&c);
	return result;
}

int oci_cmd_run(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct creation c;
	sigset_t old;
	int result = begin(oci, &c, run_table, err);
	if (result)
		return result < 0 ? -1 : 0;
	supervise_block(true, &old);
	result = make(&c, err);
	if (result == 0)
		result = c.options.detach ? wait_until_ready(&c, &old, err) : supervise(&c, out_exit_code, err);
	finish(&c);
	return result;
}
