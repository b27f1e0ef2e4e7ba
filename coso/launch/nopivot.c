// SPDX-License-Identifier: GPL-2.0-or-later
// nopivot.c - leaves the mounts of a root that pivot_root(2) can't leave behind
#include "coso/launch/nopivot.h"

#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/mountinfo.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char own[] = "coso"; // the source of a cover, which is in the list, too

static int cover(const char *path, struct err *err)
{
	const struct tmpfs empty = { .what = "covering the host's mounts", .source = own, .mode = "0555", .inodes = "1" };
	own_fd int tmpfs = tmpfs_new(&empty, err);
	if (tmpfs < 0)
		return -1;
	if (sys_move_mount(tmpfs, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "cover '%s'", path);
	return 0;
}

// A path that is shown may be below what covers the root, and so none that can be found: then it isn't one of the old root's.
static int leave(char *text, struct err *err)
{
	struct mountinfo line;
	if (!mountinfo_parse(text, &line) || str_eq(line.point, "/") || (str_eq(line.type, "tmpfs") && str_eq(line.source, own)))
		return 0;
	if (sys_umount(line.point, MNT_DETACH) == 0)
		return 0;
	bool full = str_eq(line.root, "/") && (str_eq(line.type, "proc") || str_eq(line.type, "sysfs"));
	return full && (errno == EPERM || errno == EINVAL) && access(line.point, F_OK) == 0 ? cover(line.point, err) : 0;
}

int nopivot_leave(struct err *err)
{
	static char text[2 * PATH_MAX + 1024]; // of one line at least: two paths in it, and a source
	size_t length = 0;
	own_fd int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;
	while (fd >= 0 && (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0) {
		char *start = text, *end;
		text[length + (size_t)n] = '\0';
		while ((end = strchr(start, '\n'))) {
			*end = '\0';
			if (leave(start, err) < 0)
				return -1;
			start = end + 1;
		}
		length = strlen(start);
		memmove(text, start, length + 1);
		if (length == sizeof(text) - 1)
			return err_set(err, E2BIG, "a line of /proc/self/mountinfo is too long");
	}
	return fd < 0 || n < 0 ? err_sys(err, "read /proc/self/mountinfo") : 0;
}
