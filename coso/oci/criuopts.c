// SPDX-License-Identifier: GPL-2.0-or-later
// criuopts.c - what callers of checkpoint and restore say to criu
#include "coso/oci/criuopts.h"

#include "coso/launch/checkpoint.h"
#include "coso/spec/caller.h"

#include <errno.h>

int criuopts_check(struct arena *arena, const struct criuopts *options, struct err *err)
{
	if (options->lazy_pages)
		return err_set(err, ENOTSUP, "--lazy-pages: memory is always restored at once");
	if (!caller_look().privileged)
		return err_set(err, EPERM, "criu takes the rights of the host's root");
	if (!checkpoint_is_possible(arena))
		return err_set(
			err, ENOTSUP,
			"this build of coso can't drive criu: coso-criu isn't there, which is built where criu is installed");
	return 0;
}

const char *criuopts_image_path(const struct criuopts *options)
{
	return options->image_path ? options->image_path : "checkpoint";
}

static void tell(struct arena *arena, struct strv *words, const char *option, const char *value)
{
	strv_push(arena, words, option);
	strv_push(arena, words, value);
}

void criuopts_tell(struct arena *arena, const struct criuopts *o, const struct images *images, struct strv *words)
{
	const struct {
		const char *name;
		bool given;
	} flags[] = {
		{ "--tcp-established", o->tcp_established },
		{ "--ext-unix-sk", o->ext_unix_sk },
		{ "--shell-job", o->shell_job },
		{ "--file-locks", o->file_locks },
		{ "--link-remap", o->link_remap },
		{ "--auto-dedup", o->auto_dedup },
		{ "--orphan-pts-master", true },
	};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].given)
			strv_push(arena, words, flags[i].name);
	}
	tell(arena, words, "--image-path", images->path);
	tell(arena, words, "--work-path", images->work);
	tell(arena, words, "--manage-cgroups-mode", o->cgroups ? o->cgroups : "soft");
	if (o->empty_ns)
		tell(arena, words, "--empty-ns", o->empty_ns);
}
