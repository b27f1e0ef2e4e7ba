// SPDX-License-Identifier: GPL-2.0-or-later
// oci_create.c - create and run
//
// Theory of operation. Both make the container's folder, launch, and hand over what the caller waits for. create leaves the first
// process waiting (launch/start.h) and ends; run goes on to supervise it, or, detached, ends too. What can't be finished is removed.
#include "coso/engine/place.h"
#include "coso/engine/supervise.h"
#include "coso/launch/selfexe.h"
#include "coso/launch/start.h"
#include "coso/oci/creation.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/opts.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define OPTION(field) offsetof(struct creation_options, field)
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

// Our binary would be the container's to write if its root is ours: we run from a copy, from before anything is read.
static int protect_self(struct creation *c, struct err *err)
{
	if (!selfexe_may_be_exposed())
		return 0;
	if (activation_keep(&c->activation, err) < 0)
		return -1;
	return selfexe_protect(c->oci->whole, err);
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
	return creation_check_terminal(c, err);
}

// create leaves the socket to start.
static int prepare_notification(struct creation *c, struct err *err)
{
	const struct container *k = &c->container;
	if (!k->manager)
		return 0;
	if (sdnotify_prepare(&c->spec, k->notify_place, k->folder, arena_printf(c->oci->arena, "%s/%s", k->root, k->id), err) < 0)
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
	creation_name_group(c);
	launch->plan = launch->note = creation_note;
	launch->owner = c;
	launch->preserved = c->activation.count;
	own_fd int signals = supervise_open_ending(err);
	if (signals < 0 || creation_connect(c, err) < 0 || prepare_notification(c, err) < 0)
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

static int make(struct creation *c, struct err *err)
{
	if (creation_read(c, err) < 0 || complete_spec(c, err) < 0)
		return -1;
	if (container_make(c->oci->arena, c->oci->root, c->id, &c->container, err) < 0)
		return -1;
	creation_describe(c);
	if (start_launch(c, err) == 0 && creation_hand_over(c, err) == 0 && (c->waits || creation_poststart(c, err) == 0))
		return 0;
	creation_give_up(c);
	return -1;
}

static int begin(struct oci *oci, struct creation *c, const struct opt *table, struct err *err)
{
	creation_init(c, oci);
	int help = oci_options(oci, table, &c->options, err);
	if (help)
		return help;
	c->id = oci_id(oci, err);
	if (!c->id || activation_read(c->oci->inherited, c->options.preserve_fds, &c->activation, err) < 0)
		return -1;
	return protect_self(c, err);
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
	creation_finish(&c);
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
		result = c.options.detach ? creation_wait_until_ready(&c, &old, err) : creation_supervise(&c, out_exit_code, err);
	creation_finish(&c);
	return result;
}
