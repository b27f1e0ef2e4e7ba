// SPDX-License-Identifier: GPL-2.0-or-later
// oci_exec.c - exec: another process in a container that runs
#include "coso/engine/pidfile.h"
#include "coso/engine/place.h"
#include "coso/engine/supervise.h"
#include "coso/launch/join.h"
#include "coso/launch/launch.h"
#include "coso/launch/selfexe.h"
#include "coso/oci/activation.h"
#include "coso/oci/console.h"
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "coso/spec/capset.h"
#include "coso/spec/from_oci.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/num.h"
#include "shared/opts.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { SETUP_FAILED = 255 };

struct options {
	const char *process, *pid_file, *console_socket, *pidfd_socket, *preserve_fds, *cwd, *user, *apparmor, *label;
	struct strv env, groups, caps, cgroup;
	bool detach, tty, no_new_privs, ignore_paused, no_subreaper;
};

#define OPTION(field) offsetof(struct options, field)

static const struct opt table[] = {
	{ "process", 'p', OPT_TEXT, OPTION(process), "FILE", "the process as JSON; then nothing else of it is asked for" },
	{ "detach", 'd', OPT_FLAG, OPTION(detach), NULL, "don't wait for its end" },
	{ "pid-file", 0, OPT_TEXT, OPTION(pid_file), "FILE", "write its pid there" },
	{ "console-socket", 0, OPT_TEXT, OPTION(console_socket), "SOCKET", "send the terminal there" },
	{ "pidfd-socket", 0, OPT_TEXT, OPTION(pidfd_socket), "SOCKET", "send its pidfd there" },
	{ "preserve-fds", 0, OPT_TEXT, OPTION(preserve_fds), "N", "pass N more descriptors on" },
	{ "cwd", 0, OPT_TEXT, OPTION(cwd), "DIR", "working folder" },
	{ "env", 'e', OPT_LIST, OPTION(env), "NAME=VALUE", "set a variable" },
	{ "tty", 't', OPT_FLAG, OPTION(tty), NULL, "a terminal of its own" },
	{ "user", 'u', OPT_TEXT, OPTION(user), "UID[:GID]", "run as this user" },
	{ "additional-gids", 'g', OPT_LIST, OPTION(groups), "GID", "supplementary group" },
	{ "cap", 'c', OPT_LIST, OPTION(caps), "CAP", "add a capability" },
	{ "no-new-privs", 0, OPT_FLAG, OPTION(no_new_privs), NULL, "set-user-id programs gain nothing" },
	{ "apparmor", 0, OPT_TEXT, OPTION(apparmor), "PROFILE", "AppArmor profile" },
	{ "process-label", 0, OPT_TEXT, OPTION(label), "LABEL", "SELinux label" },
	{ "cgroup", 0, OPT_LIST, OPTION(cgroup), "[CONTROLLERS:]PATH", "group below the container's" },
	{ "ignore-paused", 0, OPT_FLAG, OPTION(ignore_paused), NULL, "also in a paused container" },
	{ "no-subreaper", 0, OPT_FLAG, OPTION(no_subreaper), NULL, NULL },
	{ 0 },
};

struct execution {
	struct oci *oci;
	struct options options;
	struct container container;
	struct spec spec; // the container's, with the new process
	json_t *config, *process;
	struct launch launch;
	struct activation activation;
	int console, pidfd_socket;
};

static int check_status(const struct container *c, bool ignore_paused, struct err *err)
{
	enum container_status status = container_status(c);
	if (status == CONTAINER_STOPPED || status == CONTAINER_CREATING)
		return err_set(err, ESRCH, "cannot exec in a %s container", container_status_name(status));
	if (status == CONTAINER_PAUSED && !ignore_paused)
		return err_set(err, EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
	return 0;
}

static int take_user(const char *text, struct spec_process *p, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *colon = strchrnul(text, ':');
	if (num_id("--user", arena_strndup(&arena, text, (size_t)(colon - text)), &p->uid, err) < 0)
		return -1;
	return *colon ? num_id("--user", colon + 1, &p->gid, err) : 0;
}

static int take_groups(struct arena *arena, const struct strv *list, struct spec_process *p, struct err *err)
{
	if (!list->count)
		return 0;
	p->groups = arena_alloc(arena, list->count * sizeof(*p->groups));
	p->group_count = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (num_id("--additional-gids", list->items[i], &p->groups[p->group_count++], err) < 0)
			return -1;
	}
	return 0;
}

// The container's own process, with what the options change.
static int process_from_options(struct execution *e, struct err *err)
{
	struct arena *a = e->oci->arena;
	const struct options *o = &e->options;
	struct spec_process *p = &e->spec.process;
	p->args = (struct strv){ 0 };
	for (int i = 1; i < e->oci->argc; i++)
		strv_push(a, &p->args, e->oci->argv[i]);
	if (!p->args.count)
		return err_set(err, EINVAL, "exec: which program? (exec ID COMMAND…, or --process FILE)");
	for (size_t i = 0; i < o->env.count; i++) {
		if (!strchr(o->env.items[i], '='))
			return err_set(err, EINVAL, "--env '%.80s': not NAME=VALUE", o->env.items[i]);
		strv_setenv(a, &p->env, o->env.items[i]);
	}
	for (size_t i = 0; i < o->caps.count; i++) {
		if (capset_add(&p->caps, o->caps.items[i], err) < 0)
			return err_wrap(err, "--cap");
	}
	p->cwd = o->cwd ? o->cwd : p->cwd;
	p->terminal = o->tty;
	p->no_new_privileges = p->no_new_privileges || o->no_new_privs;
	p->apparmor_profile = o->apparmor ? o->apparmor : p->apparmor_profile;
	p->selinux_label = o->label ? o->label : p->selinux_label;
	if (p->cwd && p->cwd[0] != '/')
		return err_set(err, EINVAL, "--cwd '%.200s': not an absolute path", p->cwd);
	if (o->user && take_user(o->user, p, err) < 0)
		return -1;
	return take_groups(a, &o->groups, p, err);
}

static int process_from_file(struct execution *e, struct err *err)
{
	struct arena *a = e->oci->arena;
	size_t size;
	struct spec_process process;
	char *text = file_read(a, AT_FDCWD, e->options.process, FILE_CONFIG, &size, err);
	e->process = text ? oci_json_parse("process", text, size, err) : NULL;
	if (!e->process || oci_process_to_spec(a, e->process, &e->spec, &process, &e->spec.home_slot, err) < 0)
		return -1;
	e->spec.process = process;
	return process.args.count ? 0 : err_set(err, EINVAL, "process.args: there is none to run");
}

static int prepare(struct execution *e, struct err *err)
{
	const struct options *o = &e->options;
	if (container_spec(&e->container, &e->spec, &e->config, err) < 0)
		return -1;
	if ((o->process ? process_from_file(e, err) : process_from_options(e, err)) < 0)
		return -1;
	bool terminal = e->spec.process.terminal;
	if (o->detach && terminal && !o->console_socket)
		return err_set(err, EINVAL, "cannot allocate tty if coso will detach without setting console socket");
	if (o->console_socket && !(o->detach && terminal))
		return err_set(err, EINVAL, "cannot use console socket if coso will not detach or allocate tty");
	activation_apply(&e->activation, &e->spec);
	if (o->console_socket && (e->console = console_connect(o->console_socket, err)) < 0)
		return err_wrap(err, "--console-socket");
	if (o->pidfd_socket && (e->pidfd_socket = console_connect(o->pidfd_socket, err)) < 0)
		return err_wrap(err, "--pidfd-socket");
	return 0;
}

static int join(struct execution *e, struct err *err)
{
	struct launch *launch = &e->launch;
	launch_init(launch, e->oci->arena, &e->spec);
	launch->preserved = e->activation.count;
	launch->target = container_pidfd(&e->container);
	if (launch->target < 0)
		return err_set(err, ESRCH, "cannot exec in a stopped container");
	if (e->container.cgroup.count && (container_cgroup(&e->container, &launch->cgroup, err) < 0 ||
					  cgroup_open(&launch->cgroup, &e->options.cgroup, e->container.pid, err) < 0))
		return -1;
	own_fd int signals = supervise_open_ending(err);
	if (signals < 0)
		return -1;
	own_fd int cache = e->spec.process.seccomp == SPEC_SECCOMP_JSON ? place_open_cache(e->oci->arena) : -1;
	launch->signals = signals;
	launch->cache = cache;
	int result = join_start(launch, err);
	launch->signals = launch->cache = -1;
	return result;
}

static int hand_over(struct execution *e, struct err *err)
{
	if (e->console >= 0 && console_send(e->console, e->launch.console, err) < 0)
		return err_wrap(err, "--console-socket");
	if (e->pidfd_socket >= 0 && console_send(e->pidfd_socket, e->launch.pidfd, err) < 0)
		return err_wrap(err, "--pidfd-socket");
	if (e->options.pid_file && pidfile_write(e->options.pid_file, e->launch.pid, err) < 0)
		return err_wrap(err, "--pid-file");
	return 0;
}

static int run(struct execution *e, int *out_exit_code, struct err *err)
{
	*out_exit_code = SETUP_FAILED;
	if (check_status(&e->container, e->options.ignore_paused, err) < 0 || prepare(e, err) < 0 || join(e, err) < 0)
		return -1;
	if (hand_over(e, err) < 0) {
		join_end(&e->launch);
		return -1;
	}
	*out_exit_code = 0;
	if (e->options.detach)
		return 0;
	const struct supervise s = {
		.pidfd = e->launch.pidfd,
		.console = e->launch.console,
		.input = STDIN_FILENO,
		.output = STDOUT_FILENO,
		.every = true,
	};
	return supervise_run(&s, out_exit_code, err);
}

// The container's root could write the binary that this process runs from until it executes the program.
static int protect_self(struct execution *e, struct err *err)
{
	if (!selfexe_may_be_exposed())
		return 0;
	if (activation_keep(&e->activation, err) < 0)
		return -1;
	return selfexe_protect(e->oci->whole, err);
}

int oci_cmd_exec(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct execution e = {
		.oci = oci, .container = { .folder = -1 }, .launch = { .target = -1 }, .console = -1, .pidfd_socket = -1
	};
	sigset_t old;
	int help = oci_options(oci, table, &e.options, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || activation_read(oci->inherited, e.options.preserve_fds, &e.activation, err) < 0 || protect_self(&e, err) < 0 ||
	    container_open(oci->arena, oci->root, id, &e.container, err) < 0)
		return -1;
	supervise_block(true, &old);
	int result = run(&e, out_exit_code, err);
	json_decref(e.process);
	json_decref(e.config);
	container_close(&e.container);
	fd_close(&e.launch.target);
	fd_close(&e.console);
	fd_close(&e.pidfd_socket);
	return result;
}
