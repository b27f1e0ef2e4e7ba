// SPDX-License-Identifier: GPL-2.0-or-later
// cmd_prepare.c - cosofs prepare DIR: the upper and work folders of a container that is kept
#include "cosofs/command.h"
#include "shared/fd.h"
#include "shared/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

struct prepare_line {
	struct command_common common;
};

static const struct opt options[] = { COMMAND_OPTIONS, { 0 } };

// Makes one of the two, or checks the one that is there.
static int make(int dir, const char *path, const char *name, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make '%s/%s'", path, name);
	own_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open '%s/%s'", path, name);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "'%s/%s' belongs to user %u (chown it, or choose another folder)", path, name,
			       st.st_uid);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return err_sys(err, "set the mode of '%s/%s'", path, name);
	return 0;
}

// overlay(5) of the kernel: the upper's file system must be writable and can't itself be an overlay.
static int check_upper(int dir, const char *path, struct err *err)
{
	struct statfs fs;
	if (fstatfs(dir, &fs) < 0)
		return err_sys(err, "look at the file system of '%s'", path);
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
		return err_set(
			err, EINVAL,
			"'%s' is on an overlay, which can't hold what another overlay writes (choose a folder on a disk or a tmpfs)",
			path);
	return 0;
}

static int prepare_folder(const char *path, struct err *err)
{
	if (!*path)
		return err_set(err, ENOENT, "the path of the folder is empty");
	if (path_mkdirs(path, 0700, err) < 0)
		return -1;
	own_fd int trusted = path_open_trusted(path, err);
	if (trusted < 0)
		return -1;
	own_fd int dir = openat(trusted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (dir < 0 || fstat(dir, &st) < 0)
		return err_sys(err, "open '%s'", path);
	if (check_upper(dir, path, err) < 0)
		return -1;
	// What a container writes may be set-id: nobody else gets to it.
	if (st.st_mode & 077)
		return err_set(err, EPERM, "other users can enter '%s' (chmod 700 '%s')", path, path);
	if (make(dir, path, "upper", 0755, err) < 0 || make(dir, path, "work", 0700, err) < 0)
		return -1;
	return fsync(dir) == 0 ? 0 : err_sys(err, "write '%s' to the disk", path);
}

static int prepare(struct arena *arena, int argc, char *const argv[], struct err *err)
{
	struct prepare_line line = { 0 };
	struct command_line given = { .argc = argc, .argv = argv, .want = 1 };
	if (command_parse(&prepare_command, arena, &given, &line, err) < 0)
		return COMMAND_USAGE;
	if (prepare_folder(given.words.items[0], err) < 0)
		return COMMAND_FAILED;
	if (!line.common.quiet)
		printf("%s: ready (upper, work)\n", given.words.items[0]);
	return COMMAND_OK;
}

const struct command prepare_command = {
	.name = "prepare",
	.run = prepare,
	.args = "DIR",
	.help = "makes DIR/upper and DIR/work, where a kept container writes",
	.options = options,
};
