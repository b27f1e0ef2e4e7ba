// SPDX-License-Identifier: GPL-2.0-or-later
// overlay.c - the overlay root: upper layer outside, mount inside
#include "coso/launch/overlay.h"

#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Where upper and work live: the user's own folder (--keep), or the container's.
const char *overlay_data_path(const struct launch *launch)
{
	return launch->spec->root.keep ? launch->spec->root.keep : launch->data;
}

// Two overlays with one upper layer: "undefined behaviour", says overlayfs.rst, and the kernel only warns.
static int lock_kept(struct launch *launch, int folder, struct err *err)
{
	own_fd int lock = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_sys(err, "open '%s'", launch->spec->root.keep);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, EBUSY, "'%s' is in use by another container", launch->spec->root.keep);
	launch->rootfs.lock = take_fd(&lock);
	return 0;
}

// Returns 1 if it was made, 0 if it was there already, as a folder.
static int make_folder(int parent, const char *path, const char *name, mode_t mode, struct err *err)
{
	struct stat st;
	if (mkdirat(parent, name, mode) == 0)
		return 1;
	if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "make folder '%s/%s'", path, name);
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, ENOTDIR, "'%s/%s' is not a folder", path, name);
}

// A container may leave programs there that are set-user-id to whoever its root is on the disk: others must not get at them.
static int check_closed(int folder, const char *path, struct err *err)
{
	struct stat st;
	if (fstat(folder, &st) < 0)
		return err_sys(err, "look at '%s'", path);
	if (!(st.st_mode & (S_IRWXG | S_IRWXO)))
		return 0;
	return err_set(err, EPERM,
		       "others may enter '%s', and run what a container leaves in it with its owner's rights (chmod 700 '%s')",
		       path, path);
}

static int open_data(const struct launch *launch, const char *path, struct err *err)
{
	if (launch->spec->root.keep)
		return path_mkdirs(path, 0700, err) < 0 ? -1 : path_open_trusted(path, err);
	if (mkdirat(launch->folder, "data", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make folder '%s'", path);
	int fd = openat(launch->folder, "data", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s'", path) : fd;
}

int overlay_prepare(struct launch *launch, const struct stat *lower, struct err *err)
{
	const char *path = overlay_data_path(launch);
	own_fd int folder = open_data(launch, path, err);
	if (folder < 0 || check_closed(folder, path, err) < 0)
		return -1;
	if (launch->spec->root.keep && lock_kept(launch, folder, err) < 0)
		return -1;
	// The overlay's "/" takes mode and owner from upper.
	int fresh = make_folder(folder, path, "upper", 0755, err);
	if (fresh < 0 || make_folder(folder, path, "work", 0700, err) < 0)
		return -1;
	if (fresh &&
	    (fchmodat(folder, "upper", lower->st_mode & 07777, 0) < 0 ||
	     (launch->caller.privileged && fchownat(folder, "upper", lower->st_uid, lower->st_gid, AT_SYMLINK_NOFOLLOW) < 0)))
		return err_sys(err, "set up folder '%s/upper'", path);
	if (!launch->caller.privileged)
		return 0;
	launch->rootfs.data = sys_open_tree(folder, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return launch->rootfs.data < 0 ? err_sys(err, "clone the mount of '%s'", path) : 0;
}

// Attaches a tree that the outside cloned, or (an ordinary user) a copy of what is at `path`.
static int attach_tree(struct launch *launch, int *tree, const char *path, const char *name, struct err *err)
{
	if (*tree < 0)
		*tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (*tree < 0)
		return err_sys(err, "clone the mount of '%s'", path);
	if (sys_move_mount(*tree, "", launch->rootfs.staging, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach '%s'", path);
	return mountattr_propagate(*tree, MS_PRIVATE | MS_REC, err);
}

// With or without a user namespace, so that a kept layer means the same in both: what marks a folder as opaque for one mode is
// ignored in the other, and deleted files would reappear. Linux 5.11; before, there are no overlays in user namespaces either.
static int set_userxattr(const struct launch *launch, int fs)
{
	if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == 0)
		return 0;
	return errno == EINVAL && !launch_has_userns(launch) ? 0 : -1;
}

// `volatile` leaves out the sync of the upper file system at the end: the layer is thrown away then. Linux 5.10.
static int mount_overlay(struct launch *launch, const char *upper, const char *work, struct err *err)
{
	const bool keep = launch->spec->root.keep;
	own_fd int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(err, "open an overlay file system (modprobe overlay)");
	if (fchdir(launch->rootfs.staging) < 0)
		return err_sys(err, "enter the staging tmpfs");
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", "lower", 0) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "upperdir", upper, 0) < 0 ||
	    sys_fsconfig(fs, FSCONFIG_SET_STRING, "workdir", work, 0) < 0 || set_userxattr(launch, fs) < 0 ||
	    (!keep && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0) ||
	    sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "mount an overlay of '%s' and '%s'", launch->spec->root.path, overlay_data_path(launch));
	launch->rootfs.root = sys_fsmount(fs, FSMOUNT_CLOEXEC, launch->no_devices ? MOUNT_ATTR_NODEV : 0);
	return launch->rootfs.root < 0 ? err_sys(err, "mount the overlay") : 0;
}

// Where upper's file system can't be an overlay's upper (another overlay, NFS, …), memory can.
static int overlay_in_memory(struct launch *launch, struct err *err)
{
	log_verbose("'%s' can't hold an upper layer: it is kept in memory", launch->data);
	own_fd int memory = tmpfs_new(&(struct tmpfs){ .what = "the upper layer", .mode = "0755" }, err);
	if (memory < 0)
		return -1;
	if (mkdirat(memory, "upper", 0755) < 0 || mkdirat(memory, "work", 0700) < 0 ||
	    mkdirat(launch->rootfs.staging, "memory", 0700) < 0 ||
	    sys_move_mount(memory, "", launch->rootfs.staging, "memory", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "mount a tmpfs for the upper layer");
	return mount_overlay(launch, "memory/upper", "memory/work", err);
}

int overlay_attach(struct launch *launch, struct err *err)
{
	struct rootfs *r = &launch->rootfs;
	if (attach_tree(launch, &r->lower, launch->spec->root.path, "lower", err) < 0 ||
	    attach_tree(launch, &r->data, overlay_data_path(launch), "data", err) < 0)
		return -1;
	if (mount_overlay(launch, "data/upper", "data/work", err) < 0) {
		if (launch->spec->root.keep || (err->code != EINVAL && err->code != EOPNOTSUPP))
			return -1;
		if (overlay_in_memory(launch, err) < 0)
			return -1;
	}
	if (sys_move_mount(r->root, "", r->staging, "root", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach the overlay");
	return 0;
}
