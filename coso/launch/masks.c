// SPDX-License-Identifier: GPL-2.0-or-later
// masks.c - masked and read-only paths
#include "coso/launch/masks.h"

#include "coso/launch/launch.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct covers {
	int null;  // /dev/null of the container, checked
	int empty; // an empty read-only tmpfs, attached once and cloned from then on; -1 until a folder needs it
};

static int open_null(int root, struct err *err)
{
	own_fd int fd = path_open_in(root, "/dev/null", O_PATH | O_NOFOLLOW, 0, err);
	struct stat st;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(err, EINVAL, "/dev/null of the container isn't the null device");
	return take_fd(&fd);
}

static int new_empty(const struct launch *launch, struct err *err)
{
	const struct tmpfs tmpfs = {
		.label = launch->mounts.label.key,
		.label_value = launch->mounts.label.value,
		.what = "masked paths",
		.mode = "0555",
		.inodes = "1",
		.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	return tmpfs_new(&tmpfs, err);
}

static int mask(const struct launch *launch, const char *path, struct covers *covers, struct err *err)
{
	own_fd int target = mounts_open(launch, path, err);
	if (target < 0)
		return err->code == ENOENT || err->code == ENOTDIR || err->code == EACCES ? 0 : -1;
	struct stat st;
	if (fstat(target, &st) < 0)
		return err_sys(err, "look at '%s'", path);
	own_fd int cover = -1;
	bool first = S_ISDIR(st.st_mode) && covers->empty < 0;
	if (first)
		cover = new_empty(launch, err);
	else
		cover = sys_open_tree(S_ISDIR(st.st_mode) ? covers->empty : covers->null, "",
				      AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (cover < 0 || sys_move_mount(cover, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "mask '%s'", path);
	if (first)
		covers->empty = take_fd(&cover);
	return 0;
}

static bool is_repeated(const struct strv *paths, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (str_eq(paths->items[i], paths->items[index]))
			return true;
	}
	return false;
}

int masks_apply(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	for (size_t i = 0; i < spec->readonly_paths.count; i++) {
		if (mounts_make_readonly(launch, spec->readonly_paths.items[i], err) < 0)
			return -1;
	}
	if (!spec->masked_paths.count)
		return 0;
	struct covers covers = { .null = open_null(launch->rootfs.root, err), .empty = -1 };
	int result = covers.null < 0 ? -1 : 0;
	for (size_t i = 0; result == 0 && i < spec->masked_paths.count; i++)
		result = is_repeated(&spec->masked_paths, i) ? 0 : mask(launch, spec->masked_paths.items[i], &covers, err);
	fd_close(&covers.null);
	fd_close(&covers.empty);
	return result;
}
