// SPDX-License-Identifier: GPL-2.0-or-later
// cmd_setup.c - cosofs setup
#include "cosofs/command.h"
#include "cosofs/digest.h"
#include "cosofs/setup.h"
#include "cosofs/source.h"
#include "shared/fd.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct setup_line {
	struct command_common common;
	struct setup setup;
};

#define FIELD(name) offsetof(struct setup_line, setup.name)

static const struct opt options[] = {
	COMMAND_OPTIONS,
	{ "rootfs", 0, OPT_TEXT, FIELD(rootfs), "DIR", "where to (root: /tmp/coso/rootfs, others: ~/.local/share/coso/rootfs)" },
	{ "tarball", 0, OPT_TEXT, FIELD(tarball), "FILE|URL", "a root file system (default: the pinned release of Alpine Linux)" },
	{ "sha256", 0, OPT_TEXT, FIELD(sha256), "HEX", "what the tarball must be; also lets a broken download go on" },
	{ "release-file", 0, OPT_TEXT, FIELD(release_file), "FILE",
	  "releases to use in place of those built in (see rootfs/alpine.txt)" },
	{ "builtin", 0, OPT_FLAG, FIELD(builtin), NULL, "download nothing: make the built-in root from the static BusyBox" },
	{ "force", 'f', OPT_FLAG, FIELD(force), NULL, "replace what is there (no container may be running on it)" },
	{ 0 },
};

static int check(struct arena *arena, struct setup *setup, struct err *err)
{
	if (setup->tarball && !*setup->tarball)
		return err_set(err, EINVAL, "--tarball: the name is empty");
	if (setup->builtin && (setup->tarball || setup->release_file))
		return err_set(err, EINVAL, "--builtin downloads nothing: it doesn't go with --tarball or --release-file");
	if (setup->sha256 && !setup->tarball)
		return err_set(err, EINVAL, "--sha256 is for a --tarball");
	if (setup->sha256 && !digest_valid(setup->sha256))
		return err_set(err, EINVAL, "--sha256 '%.80s': not 64 hexadecimal digits", setup->sha256);
	if (!setup->tarball || !source_is_url(setup->tarball))
		return 0;
	if (strncasecmp(setup->tarball, "file:///", 8) == 0)
		setup->tarball = source_file_url(arena, setup->tarball);
	else if (strncasecmp(setup->tarball, "http://", 7) != 0 && strncasecmp(setup->tarball, "https://", 8) != 0)
		return err_set(err, EINVAL, "--tarball '%.200s': only https, http and file URLs are fetched", setup->tarball);
	return 0;
}

static int setup(struct arena *arena, int argc, char *const argv[], struct err *err)
{
	struct setup_line line = { 0 };
	struct command_line given = { .argc = argc, .argv = argv, .want = 0 };
	if (command_parse(&setup_command, arena, &given, &line, err) < 0 || check(arena, &line.setup, err) < 0)
		return COMMAND_USAGE;
	return setup_run(arena, &line.setup, err) == 0 ? COMMAND_OK : COMMAND_FAILED;
}

const struct command setup_command = {
	.name = "setup",
	.run = setup,
	.args = "",
	.help = "gets the root file system that coso uses by default",
	.options = options,
};
