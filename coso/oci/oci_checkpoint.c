// SPDX-License-Identifier: GPL-2.0-or-later
// oci_checkpoint.c - checkpoint
//
// Theory of operation. criu (launch/checkpoint.h) stops the container's processes, writes them to images, and ends them or lets them go
// on. What it can't know is told: which mounts, namespaces and streams are of the outside (launch/external.h). A container that was
// ended is removed, as runc does: what it was is in the images.
#include "coso/launch/checkpoint.h"
#include "coso/oci/container.h"
#include "coso/oci/criuopts.h"
#include "coso/oci/oci.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"

#include <errno.h>

struct options {
	struct criuopts criu;
	const char *parent_path, *ignored, *page_server;
	bool leave_running, tcp_skip_in_flight, pre_dump;
};

#define OPTION(field) offsetof(struct options, field)
#define CRIU(field) offsetof(struct options, criu.field)

static const struct opt table[] = {
	CRIUOPTS(CRIU),
	{ "parent-path", 0, OPT_TEXT, OPTION(parent_path), "DIR", "images of the pre-dump before, relative to these" },
	{ "leave-running", 0, OPT_FLAG, OPTION(leave_running), NULL, "let it run on" },
	{ "pre-dump", 0, OPT_FLAG, OPTION(pre_dump), NULL, "write its memory in advance, while it runs on" },
	{ "tcp-skip-in-flight", 0, OPT_FLAG, OPTION(tcp_skip_in_flight), NULL, "without TCP connections that are being made" },
	{ "page-server", 0, OPT_TEXT, OPTION(page_server), "ADDRESS:PORT", "send its memory there" },
	{ "status-fd", 0, OPT_TEXT, OPTION(ignored), "FD", NULL }, // of lazy pages
	{ 0 },
};

static bool stays(const struct options *options)
{
	return options->leave_running || options->pre_dump;
}

static int check(const struct container *c, struct err *err)
{
	enum container_status status = container_status(c);
	if (status == CONTAINER_RUNNING || status == CONTAINER_PAUSED)
		return 0;
	return err_set(err, EINVAL, "container '%s' cannot be checkpointed: it is %s", c->id, container_status_name(status));
}

// Where its processes can be frozen all at once, criu does that.
static int tell_freezer(const struct container *c, struct strv *words, struct err *err)
{
	struct cgroup cgroup;
	const char *v1 = NULL, *v2 = NULL;
	if (container_cgroup(c, &cgroup, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup.count; i++) {
		const struct cgroup_hierarchy *h = &cgroup.hierarchies[i];
		if (h->folder && h->v2)
			v2 = h->folder;
		else if (h->folder && str_eq(h->controllers, "freezer"))
			v1 = h->folder;
	}
	if (v1 || v2) {
		strv_push(c->arena, words, "--freeze-cgroup");
		strv_push(c->arena, words, v1 ? v1 : v2);
	}
	cgroup_close(&cgroup);
	return 0;
}

static void tell(struct arena *arena, const struct container *c, const struct options *o, const struct images *images,
		 struct strv *words)
{
	strv_push(arena, words, o->pre_dump ? "pre-dump" : "dump");
	criuopts_tell(arena, &o->criu, images, words);
	strv_push(arena, words, "--pid");
	strv_push(arena, words, arena_printf(arena, "%d", (int)c->pid));
	if (o->leave_running)
		strv_push(arena, words, "--leave-running");
	if (o->tcp_skip_in_flight)
		strv_push(arena, words, "--tcp-skip-in-flight");
	if (o->pre_dump)
		strv_push(arena, words, "--track-mem");
	if (o->parent_path) {
		strv_push(arena, words, "--parent-path");
		strv_push(arena, words, o->parent_path);
	}
	if (o->page_server) {
		strv_push(arena, words, "--page-server");
		strv_push(arena, words, o->page_server);
	}
}

static int dump(struct container *c, const struct options *options, struct images *images, const struct spec *spec, struct err *err)
{
	struct arena *a = c->arena;
	struct strv words = { 0 };
	struct external external;
	const char *ignored;
	tell(a, c, options, images, &words);
	if (external_check(spec, err) < 0 || external_look(a, spec, c->pid, &external, err) < 0 || tell_freezer(c, &words, err) < 0)
		return -1;
	for (size_t i = 0; i < external.words.count; i++)
		strv_push(a, &words, external.words.items[i]);
	if (!options->pre_dump && images_write_streams(images, external.streams, err) < 0)
		return -1;
	if (!options->pre_dump && images_write_place(images, c->notify_place, err) < 0)
		return -1;
	const struct checkpoint checkpoint = { .arena = a, .words = &words };
	return checkpoint_run(&checkpoint, &ignored, err);
}

static int write_images(struct container *c, const struct options *options, struct err *err)
{
	struct images images = { .folder = -1 };
	struct spec spec;
	json_t *config = NULL;
	if (container_lock(c, err) < 0 || check(c, err) < 0)
		return -1;
	int result = container_spec(c, &spec, &config, err);
	if (result == 0 && c->notify_place)
		sdnotify_describe(&spec, c->notify_place);
	if (result == 0)
		result = images_make(c->arena, criuopts_image_path(&options->criu), options->criu.work_path, &images, err);
	if (result == 0)
		result = dump(c, options, &images, &spec, err);
	images_close(&images);
	json_decref(config);
	if (result < 0 || stays(options))
		return result;
	return container_remove(c, err);
}

// Engines look whether checkpoints can be had by asking for the help: where they can't, that fails as well.
int oci_cmd_checkpoint(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct options options = { 0 };
	struct container c;
	*out_exit_code = 0;
	if (!checkpoint_is_possible(oci->arena))
		return criuopts_check(oci->arena, &options.criu, err);
	int help = oci_options(oci, table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || criuopts_check(oci->arena, &options.criu, err) < 0 || container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = write_images(&c, &options, err);
	container_close(&c);
	return result;
}
