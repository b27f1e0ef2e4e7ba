// SPDX-License-Identifier: GPL-2.0-or-later
// cmd_remove.c - cosofs remove DIR
#include "cosofs/command.h"
#include "cosofs/root.h"
#include "cosofs/userns.h"
#include "cosofs/whole.h"
#include "shared/fd.h"
#include "shared/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct remove_line {
	struct command_common common;
	bool force;
};

static const struct opt options[] = {
	COMMAND_OPTIONS,
	{ "force", 'f', OPT_FLAG, offsetof(struct remove_line, force), NULL,
	  "remove it even if it is neither a root file system nor a kept container" },
	{ 0 },
};

static int check(const struct whole *w, bool force, struct err *err)
{
	struct stat st, root;
	if (fstatat(w->parent, w->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? err_set(err, ENOENT, "there is no '%s'", w->path) : err_sys(err, "look at '%s'", w->path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ENOTDIR, "'%s' is not a folder", w->path);
	if (stat("/", &root) == 0 && root.st_dev == st.st_dev && root.st_ino == st.st_ino)
		return err_set(err, EBUSY, "'%s' is this system's own root", w->path);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "'%s' belongs to another user", w->path);
	if (root_kind(w->parent, w->name) == ROOT_OTHER && !force)
		return err_set(err, EINVAL,
			       "'%s' is neither a root file system nor a kept container (--force removes it all the same)",
			       w->path);
	return 0;
}

static int run_remove(struct whole *w, bool force, struct err *err)
{
	enum userns kind;
	if (userns_enter(&kind, err) < 0 || whole_lock(w, err) < 0 || check(w, force, err) < 0)
		return -1;
	return whole_remove(w, err);
}

static int remove_dir(struct arena *arena, int argc, char *const argv[], struct err *err)
{
	struct remove_line line = { 0 };
	struct command_line given = { .argc = argc, .argv = argv, .want = 1 };
	struct whole w;
	if (command_parse(&remove_command, arena, &given, &line, err) < 0)
		return COMMAND_USAGE;
	int result = whole_open(&w, given.words.items[0], false, err);
	if (result == 0)
		result = run_remove(&w, line.force, err);
	if (result == 0 && log_level() > LOG_LEVEL_QUIET)
		printf("%s: removed\n", w.path);
	whole_close(&w);
	return result == 0 ? COMMAND_OK : COMMAND_FAILED;
}

const struct command remove_command = {
	.name = "remove",
	.run = remove_dir,
	.args = "DIR",
	.help = "removes a root file system or a kept container, with all that is in it",
	.options = options,
};
