// SPDX-License-Identifier: GPL-2.0-or-later
// rootfs.c - the overlay root: staging, attach, pivot
#include "coso/launch/rootfs.h"

#include "coso/launch/idmap.h"
#include "coso/launch/launch.h"
#include "coso/launch/tmpfs.h"
#include "coso/spec/subid.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const staging_folders[] = { "lower", "data", "root", "files" };

// Where upper and work live: the user's own folder (--keep), or the container's.
static const char *data_path(const struct launch *launch)
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

static int make_data(struct launch *launch, const struct stat *lower, struct err *err)
{
	const char *path = data_path(launch);
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

int rootfs_prepare(struct launch *launch, struct err *err)
{
	const struct spec_root *root = &launch->spec->root;
	struct rootfs *r = &launch->rootfs;
	struct stat st;

	r->folder = path_open_trusted(root->path, err);
	if (r->folder < 0) {
		if (err->code == ENOENT)
			err_hint(err, "'make fs-setup' or 'cosofs setup --rootfs %s' makes a root file system", root->path);
		return err_wrap(err, "--rootfs");
	}
	if (fstat(r->folder, &st) < 0)
		return err_sys(err, "look at '%s'", root->path);
	if (launch->caller.privileged) {
		r->lower = sys_open_tree(r->folder, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		if (r->lower < 0)
			return err_sys(err, "clone the mount of '%s'", root->path);
	}
	if (root->overlay && make_data(launch, &st, err) < 0)
		return root->keep ? err_wrap(err, "--keep") : -1;
	return 0;
}

static int idmap_one(int mount, int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (__u64)userns };
	return sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
}

// A layer that can't be id-mapped means no user namespace for this container (before Linux 5.19, or a file system without it).
static int idmap_layer(int mount, int userns, const char *what, struct err *err)
{
	if (mount < 0 || idmap_one(mount, userns) == 0)
		return 0;
	err_sys(err, "id-map the %s", what);
	err->code = EUSERS;
	return err_hint(err, "needs Linux 5.19 and a file system such as ext4, xfs or btrfs; or use --userns host");
}

int rootfs_idmap(struct launch *launch, struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)launch->pid);
	own_fd int userns = open(path, O_RDONLY | O_CLOEXEC);
	if (userns < 0)
		return err_sys(err, "open '%s'", path);
	if (idmap_layer(launch->rootfs.lower, userns, "rootfs", err) < 0 ||
	    idmap_layer(launch->rootfs.data, userns, "upper layer", err) < 0)
		return -1;
	for (size_t i = 0; i < launch->mounts.count; i++) {
		const struct mounts_item *item = &launch->mounts.items[i];
		if (item->source >= 0 && idmap_one(item->source, userns) < 0)
			log_warning("volume '%s' can't be id-mapped (%s): its files appear as nobody's", item->mount->source,
				    strerrordesc_np(errno));
	}
	return 0;
}

struct removal {
	int parent;
	const char *name;
};

static int remove_inside(void *data, struct err *err)
{
	const struct removal *r = data;
	return path_remove_tree(r->parent, r->name, err);
}

int rootfs_remove_data(const char *path, struct err *err)
{
	own_arena struct arena arena = { 0 };
	char *parent = arena_strdup(&arena, path), *slash = strrchr(parent, '/');
	*slash = '\0';
	own_fd int folder = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOENT ? 0 : err_sys(err, "open '%s'", parent);
	struct removal removal = { folder, slash + 1 };
	int result = remove_inside(&removal, err);
	const struct caller caller = result < 0 ? caller_look() : (struct caller){ .privileged = true };
	if (!caller.privileged && (err->code == EACCES || err->code == EPERM)) {
		struct spec_idmaps uids, gids;
		const struct idmap map = { &caller, &uids, &gids };
		subid_own_maps(&arena, &uids, &gids);
		result = idmap_run_inside(&arena, &map, remove_inside, &removal, err);
	}
	return result < 0 ? err_wrap(err, "remove '%s'", path) : 0;
}

void rootfs_remove(struct launch *launch)
{
	struct err err;
	bool prepared = launch->rootfs.folder >= 0;
	fd_close(&launch->rootfs.folder);
	fd_close(&launch->rootfs.lower);
	fd_close(&launch->rootfs.data);
	fd_close(&launch->rootfs.lock);
	if (prepared && launch->spec->root.overlay && !launch->spec->root.keep && rootfs_remove_data(launch->data, &err) < 0) {
		log_warning("%s", err.msg);
		launch->unclean = true;
	}
}

// Inside. The kernel keeps what is mounted over "/" out of the way of paths that begin with "/": those still start below it.
static int make_staging(struct launch *launch, struct err *err)
{
	const struct tmpfs tmpfs = {
		.what = "staging",
		.source = "coso",
		.size = "1m",
		.mode = "0755",
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	launch->rootfs.staging = tmpfs_new(&tmpfs, err);
	if (launch->rootfs.staging < 0)
		return -1;
	own_fd int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash < 0 ||
	    sys_move_mount(launch->rootfs.staging, "", slash, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "attach the staging tmpfs");
	for (size_t i = 0; i < sizeof(staging_folders) / sizeof(staging_folders[0]); i++) {
		if (mkdirat(launch->rootfs.staging, staging_folders[i], 0755) < 0)
			return err_sys(err, "make '%s' on the staging tmpfs", staging_folders[i]);
	}
	return 0;
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
	return mounts_make_private(*tree, err);
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
		return err_sys(err, "mount an overlay of '%s' and '%s'", launch->spec->root.path, data_path(launch));
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

static int attach_overlay(struct launch *launch, struct err *err)
{
	struct rootfs *r = &launch->rootfs;
	if (attach_tree(launch, &r->data, data_path(launch), "data", err) < 0)
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

int rootfs_attach(struct launch *launch, struct err *err)
{
	struct rootfs *r = &launch->rootfs;
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make the mounts private");
	if (make_staging(launch, err) < 0)
		return -1;
	const char *place = launch->spec->root.overlay ? "lower" : "root";
	if (attach_tree(launch, &r->lower, launch->spec->root.path, place, err) < 0)
		return -1;
	if (launch->spec->root.overlay)
		return attach_overlay(launch, err);
	r->root = take_fd(&r->lower);
	return 0;
}

// Nothing may be stacked on the new root: from "/", ".." leads to the topmost mount there.
static int check_alone(int root, struct err *err)
{
	struct statx own, above;
	if (statx(root, "", AT_EMPTY_PATH, STATX_MNT_ID, &own) < 0 ||
	    statx(AT_FDCWD, "/..", AT_NO_AUTOMOUNT, STATX_MNT_ID, &above) < 0)
		return err_sys(err, "look at the container's root");
	return own.stx_mnt_id == above.stx_mnt_id ? 0 : err_set(err, EBUSY, "something is mounted over the container's root");
}

int rootfs_pivot(struct launch *launch, struct err *err)
{
	// pivot_root(2), NOTES: with new_root and put_old the same folder, the old root is stacked on the new one and can be dropped.
	// The staging is stacked on the old root in turn, so it goes first.
	if (fchdir(launch->rootfs.root) < 0)
		return err_sys(err, "enter the container's root");
	if (sys_pivot_root(".", ".") < 0)
		return err_sys(err, "pivot_root");
	for (int stacked = 0; stacked < 2; stacked++) {
		if (sys_umount(".", MNT_DETACH) < 0)
			return err_sys(err, "drop the host's mounts");
	}
	if (chdir("/") < 0)
		return err_sys(err, "enter the container's root");
	if (check_alone(launch->rootfs.root, err) < 0)
		return -1;
	fd_close(&launch->rootfs.staging);
	fd_close(&launch->rootfs.lower);
	fd_close(&launch->rootfs.data);
	fd_close(&launch->rootfs.folder);
	return 0;
}

int rootfs_protect(struct launch *launch, struct err *err)
{
	if (mounts_set_attributes(launch->rootfs.root, MOUNT_ATTR_RDONLY, 0, false, err) < 0)
		return err_wrap(err, "make the root read-only");
	return 0;
}
