// SPDX-License-Identifier: GPL-2.0-or-later
// cmd_unpack.c - cosofs unpack TARBALL DIR
#include "cosofs/command.h"
#include "cosofs/source.h"
#include "cosofs/unpack.h"
#include "cosofs/userns.h"
#include "cosofs/whole.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/num.h"

#include <stddef.h>
#include <stdio.h>

struct unpack_line {
	struct command_common common;
	bool layer;
	const char *max_size, *max_entries;
};

static const struct opt options[] = {
	COMMAND_OPTIONS,
	{ "layer", 0, OPT_FLAG, offsetof(struct unpack_line, layer), NULL, "an image layer: whiteouts become those of overlayfs" },
	{ "max-size", 0, OPT_TEXT, offsetof(struct unpack_line, max_size), "SIZE",
	  "the most file content (default: free disk space)" },
	{ "max-entries", 0, OPT_TEXT, offsetof(struct unpack_line, max_entries), "N",
	  "the most files and folders (default: 4000000)" },
	{ 0 },
};

static int run_unpack(const char *tarball, struct whole *w, const struct extract_options *limits, struct err *err)
{
	struct extract_count count;
	enum userns kind;
	own_fd int archive = source_open_file(tarball, err);
	if (archive < 0 || userns_enter(&kind, err) < 0 || whole_lock(w, err) < 0 || whole_begin(w, err) < 0)
		return -1;
	struct unpack unpack = { .archive = archive, .name = tarball, .folder = w->work, .options = *limits };
	if (unpack_run(&unpack, &count, err) < 0 || whole_commit(w, false, err) < 0)
		return -1;
	unpack_warn(&count);
	if (log_level() > LOG_LEVEL_QUIET)
		printf("%s: %llu entries, %llu bytes\n", w->path, (unsigned long long)count.entries,
		       (unsigned long long)count.bytes);
	return 0;
}

static int unpack(struct arena *arena, int argc, char *const argv[], struct err *err)
{
	struct unpack_line line = { 0 };
	struct extract_options limits = { 0 };
	struct command_line given = { .argc = argc, .argv = argv, .want = 2 };
	if (command_parse(&unpack_command, arena, &given, &line, err) < 0)
		return COMMAND_USAGE;
	limits.layer = line.layer;
	if (line.max_size && num_size("--max-size", line.max_size, &limits.max_bytes, err) < 0)
		return COMMAND_USAGE;
	if (line.max_entries && num_u64("--max-entries", line.max_entries, 1, UINT64_MAX, &limits.max_entries, err) < 0)
		return COMMAND_USAGE;
	struct whole w;
	int result = whole_open(&w, given.words.items[1], true, err);
	if (result == 0)
		result = run_unpack(given.words.items[0], &w, &limits, err);
	whole_close(&w);
	return result == 0 ? COMMAND_OK : COMMAND_FAILED;
}

const struct command unpack_command = {
	.name = "unpack",
	.run = unpack,
	.args = "TARBALL DIR",
	.help = "unpacks a tar archive (plain, gzip, xz, zstd) to DIR, whole or not at all",
	.options = options,
};
