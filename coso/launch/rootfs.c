// SPDX-License-Identifier: GPL-2.0-or-later
// rootfs.c - the overlay root: staging, attach, pivot
#include "coso/launch/rootfs.h"

#include "coso/launch/idmap.h"
#include "coso/launch/launch.h"
#include "coso/launch/overlay.h"
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
#include <sys/stat.h>
#include <unistd.h>

static const char *const staging_folders[] = { "lower", "data", "root", "files" };

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
	if (root->overlay && overlay_prepare(launch, &st, err) < 0)
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

int rootfs_attach(struct launch *launch, struct err *err)
{
	struct rootfs *r = &launch->rootfs;
	if (sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(err, "make the mounts private");
	if (make_staging(launch, err) < 0)
		return -1;
	if (launch->spec->root.overlay)
		return overlay_attach(launch, err);
	if (sys_move_mount(r->lower, "", r->staging, "root", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach '%s'", launch->spec->root.path);
	r->root = take_fd(&r->lower);
	return mounts_make_private(r->root, err);
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
