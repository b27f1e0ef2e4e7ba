// SPDX-License-Identifier: GPL-2.0-or-later
// criuopts.h - what callers of checkpoint and restore say to criu, in the same words to both; coso-criu has them, too
#pragma once

#include "coso/oci/images.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <stdbool.h>
#include <stddef.h>

struct criuopts {
	const char *image_path, *work_path, *cgroups, *empty_ns;
	bool tcp_established, ext_unix_sk, shell_job, file_locks, link_remap, auto_dedup, lazy_pages;
};

// Rows of a table of options, where `field` gives the offset of one of those above.
#define CRIUOPTS(field)                                                                                                            \
	{ "image-path", 0, OPT_TEXT, field(image_path), "DIR", "folder of the images (./checkpoint)" },                            \
		{ "work-path", 0, OPT_TEXT, field(work_path), "DIR", "folder of criu's log (that of the images)" },                \
		{ "tcp-established", 0, OPT_FLAG, field(tcp_established), NULL, "with open TCP connections" },                     \
		{ "ext-unix-sk", 0, OPT_FLAG, field(ext_unix_sk), NULL, "with unix sockets to the outside" },                      \
		{ "shell-job", 0, OPT_FLAG, field(shell_job), NULL, "with the terminal of the caller's shell" },                   \
		{ "file-locks", 0, OPT_FLAG, field(file_locks), NULL, "with file locks" },                                         \
		{ "link-remap", 0, OPT_FLAG, field(link_remap), NULL, "with open files that have lost a name" },                   \
		{ "manage-cgroups-mode", 0, OPT_TEXT, field(cgroups), "MODE", "soft, full, strict or ignore (soft)" },             \
		{ "empty-ns", 0, OPT_TEXT, field(empty_ns), "network", "leave what is in the network namespace to others" },       \
		{ "auto-dedup", 0, OPT_FLAG, field(auto_dedup), NULL, "drop what later images have" },                             \
	{                                                                                                                          \
		"lazy-pages", 0, OPT_FLAG, field(lazy_pages), NULL, NULL                                                           \
	}

// Whether it can be had at all, before anything is made: what is needed is built, the caller is root, and no lazy pages are asked for.
int criuopts_check(struct arena *arena, const struct criuopts *options, struct err *err);

const char *criuopts_image_path(const struct criuopts *options);

// Adds them to coso-criu's words.
void criuopts_tell(struct arena *arena, const struct criuopts *options, const struct images *images, struct strv *words);
