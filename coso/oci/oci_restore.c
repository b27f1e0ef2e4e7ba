// SPDX-License-Identifier: GPL-2.0-or-later
// oci_restore.c - restore
//
// Theory of operation. As run, but for who makes the processes: criu does, of the images of a checkpoint (launch/restore.h). Which
// mounts it has, which groups, limits and hooks, the bundle says.
#include "coso/engine/supervise.h"
#include "coso/launch/checkpoint.h"
#include "coso/launch/restore.h"
#include "coso/oci/creation.h"
#include "coso/oci/criuopts.h"
#include "coso/oci/oci.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"
#include "shared/file.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

struct options {
	struct creation_options creation;
	struct criuopts criu;
	const char *lsm_profile, *lsm_context, *ignored;
	bool tcp_close;
};

#define OPTION(field) offsetof(struct options, field)
#define CRIU(field) offsetof(struct options, criu.field)
#define CREATION(field) offsetof(struct options, creation.field)

static const struct opt table[] = {
	{ "bundle", 'b', OPT_TEXT, CREATION(bundle), "DIR", "folder of the bundle (.)" },
	{ "detach", 'd', OPT_FLAG, CREATION(detach), NULL, "don't wait for its end" },
	{ "console-socket", 0, OPT_TEXT, CREATION(console_socket), "SOCKET", "send the terminal there" },
	{ "pid-file", 0, OPT_TEXT, CREATION(pid_file), "FILE", "write the pid of the first process there" },
	CRIUOPTS(CRIU),
	{ "tcp-close", 0, OPT_FLAG, OPTION(tcp_close), NULL, "TCP connections are restored closed" },
	{ "lsm-profile", 0, OPT_TEXT, OPTION(lsm_profile), "TYPE:NAME", "AppArmor profile or SELinux label of its processes" },
	{ "lsm-mount-context", 0, OPT_TEXT, OPTION(lsm_context), "TEXT", "SELinux context of its mounts" },
	{ "parent-path", 0, OPT_TEXT, OPTION(ignored), "DIR", NULL }, // the images lead there
	{ "page-server", 0, OPT_TEXT, OPTION(ignored), "ADDRESS:PORT", NULL },
	{ "status-fd", 0, OPT_TEXT, OPTION(ignored), "FD", NULL },
	{ "no-pivot", 0, OPT_FLAG, CREATION(no_pivot), NULL, NULL },
	{ "no-subreaper", 0, OPT_FLAG, CREATION(no_subreaper), NULL, NULL },
	{ "no-new-keyring", 0, OPT_FLAG, CREATION(no_new_keyring), NULL, NULL },
	{ 0 },
};

struct restoration {
	struct creation creation;
	struct options options;
	struct images images;
	struct restore restore;
	struct strv words;
};

static void tell(struct restoration *r, struct arena *arena)
{
	const struct options *o = &r->options;
	criuopts_tell(arena, &o->criu, &r->images, &r->words);
	if (o->tcp_close)
		strv_push(arena, &r->words, "--tcp-close");
	if (o->lsm_profile) {
		strv_push(arena, &r->words, "--lsm-profile");
		strv_push(arena, &r->words, o->lsm_profile);
	}
	if (o->lsm_context) {
		strv_push(arena, &r->words, "--lsm-mount-context");
		strv_push(arena, &r->words, o->lsm_context);
	}
}

static int start_launch(struct restoration *r, struct err *err)
{
	struct creation *c = &r->creation;
	struct container *k = &c->container;
	struct launch *launch = &c->launch;
	launch_init(launch, c->oci->arena, &c->spec);
	launch->state = k->folder;
	creation_name_group(c);
	launch->plan = launch->note = creation_note;
	launch->owner = c;
	r->restore.words = &r->words;
	r->restore.images = r->images.path;
	r->restore.empty_network = (c->spec.namespaces & CLONE_NEWNET) && !images_have_network(&r->images);
	restore_init(launch, &r->restore);
	own_fd int signals = supervise_open_ending(err);
	if (signals < 0 || creation_connect(c, err) < 0)
		return -1;
	const char *folder = arena_printf(c->oci->arena, "%s/%s", k->root, k->id);
	if (k->notify_place && sdnotify_prepare(&c->spec, k->notify_place, k->folder, folder, err) < 0)
		return -1;
	if (file_replace(k->folder, "config.json", c->bundle.text, c->bundle.size, 0600, err) < 0)
		return -1;
	launch->signals = signals;
	int result = launch_start(launch, err);
	launch->signals = -1;
	return result;
}

static int complete(struct creation *c, struct err *err)
{
	struct spec *spec = &c->spec;
	spec->cgroup_manager = c->oci->manager;
	spec->cgroup = c->oci->manager != SPEC_CGROUP_DISABLED;
	if (external_check(spec, err) < 0)
		return -1;
	return creation_check_terminal(c, err);
}

// A program that knows of no manager's socket gets none now, and one that knows of it finds it where it was.
static int place_notification(struct restoration *r, struct err *err)
{
	struct container *k = &r->creation.container;
	if (images_read_place(k->arena, &r->images, &k->notify_place, err) < 0)
		return -1;
	if (!k->notify_place)
		k->manager = NULL;
	else if (!sdnotify_is_place(&r->creation.spec, k->notify_place))
		return err_set(err, EBADMSG, "'%s': NOTIFY_SOCKET can't be at '%.200s'", r->images.path, k->notify_place);
	return 0;
}

static int make(struct restoration *r, struct err *err)
{
	struct creation *c = &r->creation;
	struct arena *a = c->oci->arena;
	if (images_open(a, criuopts_image_path(&r->options.criu), r->options.criu.work_path, &r->images, err) < 0 ||
	    images_read_streams(a, &r->images, r->restore.streams, err) < 0)
		return -1;
	if (creation_read(c, err) < 0 || complete(c, err) < 0)
		return -1;
	tell(r, a);
	if (container_make(a, c->oci->root, c->id, &c->container, err) < 0)
		return -1;
	creation_describe(c);
	if (place_notification(r, err) == 0 && start_launch(r, err) == 0 && creation_hand_over(c, err) == 0 &&
	    creation_poststart(c, err) == 0)
		return 0;
	creation_give_up(c);
	return -1;
}

int oci_cmd_restore(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct restoration r = { .images = { .folder = -1 } };
	sigset_t old;
	*out_exit_code = 0;
	if (!checkpoint_is_possible(oci->arena))
		return criuopts_check(oci->arena, &r.options.criu, err);
	int help = oci_options(oci, table, &r.options, err);
	if (help)
		return help < 0 ? -1 : 0;
	creation_init(&r.creation, oci);
	r.creation.options = r.options.creation;
	r.creation.id = oci_id(oci, err);
	if (!r.creation.id || criuopts_check(oci->arena, &r.options.criu, err) < 0)
		return -1;
	supervise_block(true, &old);
	int result = make(&r, err);
	if (result == 0 && !r.options.creation.detach)
		result = creation_supervise(&r.creation, out_exit_code, err);
	images_close(&r.images);
	creation_finish(&r.creation);
	return result;
}
