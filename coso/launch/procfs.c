// SPDX-License-Identifier: GPL-2.0-or-later
// procfs.c - a proc that nobody can have mounted anything over
#include "coso/launch/procfs.h"

#include "shared/fd.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { ROOT_INODE = 1, RETRIES = 128 }; // PROC_ROOT_INO of linux/proc_ns.h

static bool is_proc(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static int open_fresh(void)
{
	own_fd int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int procfs_open(struct err *err)
{
	struct stat st;
	own_fd int fd = open_fresh();
	if (fd < 0) // a user namespace may not have one of a pid namespace that isn't its own
		fd = sys_open_tree(AT_FDCWD, "/proc", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (fd < 0) // nor a copy without CAP_SYS_ADMIN
		fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '/proc'");
	if (!is_proc(fd) || fstat(fd, &st) < 0 || st.st_ino != ROOT_INODE)
		return err_set(err, ENOENT, "'/proc' isn't a proc file system");
	return take_fd(&fd);
}

int procfs_open_file(int proc, const char *path, int flags, struct err *err)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	own_fd int fd = -1;
	for (int i = 0; fd < 0 && i < RETRIES; i++) {
		fd = sys_openat2(proc, path, &how);
		if (fd < 0 && errno != EAGAIN && errno != EINTR)
			break;
	}
	if (fd < 0)
		return err_sys(err, "open '/proc/%s'", path);
	if (!is_proc(fd))
		return err_set(err, EXDEV, "open '/proc/%s': it isn't proc's", path);
	return take_fd(&fd);
}

int procfs_open_own(int proc, const char *name, int flags, struct err *err)
{
	char self[64], path[256];
	// The pid that this proc knows us by, which may be of another pid namespace than getpid(2)'s.
	ssize_t n = readlinkat(proc, "self", self, sizeof(self) - 1);
	if (n < 0)
		return err_sys(err, "read link '/proc/self'");
	self[n] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", self, name) >= (int)sizeof(path))
		return err_set(err, ENAMETOOLONG, "open '/proc/self/%.80s…': the name is too long", name);
	return procfs_open_file(proc, path, flags, err);
}

int procfs_write_own(int proc, const char *name, const char *text, struct err *err)
{
	own_fd int fd = procfs_open_own(proc, name, O_WRONLY, err);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, strlen(text));
	if (n < 0)
		return err_sys(err, "write '%.80s' to '/proc/self/%s'", text, name);
	if ((size_t)n != strlen(text))
		return err_set(err, EIO, "write '%.80s' to '/proc/self/%s': cut short", text, name);
	return 0;
}
