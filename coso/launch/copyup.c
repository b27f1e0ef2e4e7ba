// SPDX-License-Identifier: GPL-2.0-or-later
// copyup.c - copies a folder of an image into a tmpfs
#include "coso/launch/copyup.h"

#include "shared/fd.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { DEPTH_MAX = 100, LIST_SIZE = 4096, VALUE_SIZE = 4096, CHUNK = 1 << 20 };

static int copy_folder(int from, int to, int depth, struct err *err);

// Those of the overlay that the image is on, and labels, which a mount has of its own, stay behind.
static bool is_copied(const char *attribute)
{
	return !str_starts(attribute, "trusted.overlay.") && !str_starts(attribute, "user.overlay.") &&
	       !str_eq(attribute, "security.selinux");
}

// What a tmpfs or this user namespace doesn't take is left out, and so is what no image has: more than 4 KiB.
static void copy_attributes(int from, int to)
{
	char names[LIST_SIZE], value[VALUE_SIZE];
	ssize_t length = flistxattr(from, names, sizeof(names));
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t size = is_copied(names + at) ? fgetxattr(from, names + at, value, sizeof(value)) : -1;
		if (size >= 0)
			(void)fsetxattr(to, names + at, value, (size_t)size, 0);
	}
}

// An owner that isn't in the user namespace's map can't be given. The mode comes after the owner, which takes set-user-id away.
static int copy_status(int to, const char *name, const struct stat *st, struct err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM && errno != EINVAL)
		return err_sys(err, "give '%s' to user %u", name, st->st_uid);
	if (!S_ISLNK(st->st_mode) && fchmodat(to, name, st->st_mode & 07777, 0) < 0)
		return err_sys(err, "set the mode of '%s'", name);
	if (utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "set the times of '%s'", name);
	return 0;
}

static int copy_file(int from, int to, const char *name, struct err *err)
{
	struct stat st;
	own_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0)
		return err_sys(err, "open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EAGAIN, "copy '%s': it changes", name);
	own_fd int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_sys(err, "make '%s'", name);
	ssize_t sent;
	while ((sent = sendfile(out, in, NULL, CHUNK)) > 0)
		;
	if (sent < 0)
		return err_sys(err, "copy '%s'", name);
	copy_attributes(in, out);
	return 0;
}

static int copy_link(int from, int to, const char *name, struct err *err)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof(target) - 1);
	if (length < 0)
		return err_sys(err, "read link '%s'", name);
	target[length] = '\0';
	return symlinkat(target, to, name) < 0 ? err_sys(err, "make link '%s'", name) : 0;
}

// What is mounted there stays out: an empty folder is in its place.
static int copy_inner(int from, int to, const char *name, int depth, struct err *err)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV };
	if (depth == DEPTH_MAX)
		return err_set(err, ELOOP, "copy '%s': more than %d folders in one another", name, (int)DEPTH_MAX);
	if (mkdirat(to, name, 0700) < 0)
		return err_sys(err, "make folder '%s'", name);
	own_fd int inner_from = sys_openat2(from, name, &how);
	if (inner_from < 0)
		return errno == EXDEV ? 0 : err_sys(err, "open folder '%s'", name);
	own_fd int inner_to = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (inner_to < 0)
		return err_sys(err, "open folder '%s'", name);
	if (copy_folder(inner_from, inner_to, depth + 1, err) < 0)
		return -1;
	copy_attributes(inner_from, inner_to);
	return 0;
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *err)
{
	struct stat st;
	int result = 0;
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "look at '%s'", name);
	if (S_ISDIR(st.st_mode))
		result = copy_inner(from, to, name, depth, err);
	else if (S_ISREG(st.st_mode))
		result = copy_file(from, to, name, err);
	else if (S_ISLNK(st.st_mode))
		result = copy_link(from, to, name, err);
	else if (mknodat(to, name, st.st_mode & (S_IFMT | 0600), st.st_rdev) < 0)
		return errno == EPERM ? 0 : err_sys(err, "make '%s'", name); // a device, in a user namespace
	return result < 0 ? -1 : copy_status(to, name, &st, err);
}

static int copy_folder(int from, int to, int depth, struct err *err)
{
	_Alignas(struct dirent64) char list[LIST_SIZE];
	long length;
	while ((length = syscall(SYS_getdents64, from, list, sizeof(list))) > 0) {
		for (long at = 0; at < length;) {
			const struct dirent64 *entry = (const void *)(list + at);
			if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..") &&
			    copy_entry(from, to, entry->d_name, depth, err) < 0)
				return -1;
			at += entry->d_reclen;
		}
	}
	return length < 0 ? err_sys(err, "read a folder") : 0;
}

int copyup_tree(int from, int to, struct err *err)
{
	struct stat st;
	own_fd int folder = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int top = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || top < 0 || fstat(folder, &st) < 0)
		return err_sys(err, "open the folder to copy");
	if (copy_folder(folder, top, 0, err) < 0)
		return -1;
	copy_attributes(folder, top);
	return copy_status(top, ".", &st, err);
}
