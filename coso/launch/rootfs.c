// SPDX-License-Identifier: GPL-2.0-or-later
// rootfs.c - the container's root: staging, attach, pivot
#include "coso/launch/rootfs.h"

#include "coso/launch/idmap.h"
#include "coso/launch/idmount.h"
#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "coso/launch/nopivot.h"
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

void rootfs_describe(const struct launch *launch, FILE *out)
{
	const struct spec_root *root = &launch->spec->root;
	if (!root->overlay) {
		fprintf(out, "             %s itself%s\n", root->path, root->readonly ? " (read-only)" : "");
		return;
	}
	fprintf(out, "             lower layer: %s (never written)\n", root->path);
	fprintf(out, "             upper layer: %s/upper (%s)\n", overlay_data_path(launch),
		root->keep ? "kept" : "removed at the end");
}

// As the path is given: who made the bundle answers for it.
static int prepare_plain(struct launch *launch, struct err *err)
{
	const char *path = launch->spec->root.path;
	struct stat st;
	if (!launch->caller.privileged)
		return stat(path, &st) < 0 ? err_sys(err, "open the root file system '%s'", path) : 0;
	launch->rootfs.lower = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (launch->rootfs.lower < 0 || fstat(launch->rootfs.lower, &st) < 0)
		return err_sys(err, "open the root file system '%s'", path);
	return S_ISDIR(st.st_mode) ? 0 : err_set(err, ENOTDIR, "the root file system '%s' is not a directory", path);
}

static int prepare_overlay(struct launch *launch, struct err *err)
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
	if (overlay_prepare(launch, &st, err) < 0)
		return root->keep ? err_wrap(err, "--keep") : -1;
	return 0;
}

int rootfs_prepare(struct launch *launch, struct err *err)
{
	return launch->spec->root.overlay ? prepare_overlay(launch, err) : prepare_plain(launch, err);
}

// A layer that can't be id-mapped means no user namespace for this container (before Linux 5.19, or a file system without it).
static int idmap_layer(int mount, int userns, const char *what, struct err *err)
{
	if (mount < 0 || idmount_map(mount, userns, false) == 0)
		return 0;
	err_sys(err, "id-map the %s", what);
	err->code = EUSERS;
	return err_hint(err, "needs Linux 5.19 and a file system such as ext4, xfs or btrfs; or use --userns host");
}

// A volume that nobody asked to map is better unmapped than not there.
static int idmap_source(const struct mounts_item *item, int userns, struct err *err)
{
	const struct spec_mount *m = item->mount;
	const bool asked = m->idmap != SPEC_IDMAP_NONE;
	if (idmount_map(item->source, userns, !asked || m->idmap == SPEC_IDMAP_TREE) == 0)
		return 0;
	err_sys(err, "id-map '%s', for '%s'", m->source, item->path);
	if (asked)
		return err_hint(err, "needs Linux 5.12, and a file system such as ext4, xfs or btrfs");
	log_warning("volume '%s' can't be id-mapped (%s): its files appear as nobody's", m->source, strerrordesc_np(err->code));
	return 0;
}

static bool wants_idmap(const struct launch *launch)
{
	bool wanted = launch->spec->root.overlay;
	for (size_t i = 0; i < launch->mounts.count; i++)
		wanted = wanted || idmount_wants_container(launch, &launch->mounts.items[i]);
	return wanted;
}

int rootfs_idmap(struct launch *launch, struct err *err)
{
	char path[64];
	if (!wants_idmap(launch))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)launch->pid);
	own_fd int userns = open(path, O_RDONLY | O_CLOEXEC);
	if (userns < 0)
		return err_sys(err, "open '%s'", path);
	if (launch->spec->root.overlay && (idmap_layer(launch->rootfs.lower, userns, "rootfs", err) < 0 ||
					   idmap_layer(launch->rootfs.data, userns, "upper layer", err) < 0))
		return -1;
	for (size_t i = 0; i < launch->mounts.count; i++) {
		const struct mounts_item *item = &launch->mounts.items[i];
		if (idmount_wants_container(launch, item) && idmap_source(item, userns, err) < 0)
			return -1;
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

// The kernel keeps what is mounted over "/" out of the way of paths that begin with "/": those still start below it.
int rootfs_cover(struct launch *launch, int mount, struct err *err)
{
	own_fd int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (slash < 0 || sys_move_mount(mount, "", slash, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "cover the old root");
	launch->rootfs.covers++;
	return 0;
}

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
	if (launch->rootfs.staging < 0 || rootfs_cover(launch, launch->rootfs.staging, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(staging_folders) / sizeof(staging_folders[0]); i++) {
		if (mkdirat(launch->rootfs.staging, staging_folders[i], 0755) < 0)
			return err_sys(err, "make '%s' on the staging tmpfs", staging_folders[i]);
	}
	return 0;
}

// A slave hears of the host's mounts, which never hears of a slave's.
static unsigned long root_propagation(const struct launch *launch)
{
	return launch->spec->root.propagation & MS_SLAVE ? MS_SLAVE | MS_REC : MS_PRIVATE | MS_REC;
}

// Where the path is, as the child sees it. Returns 1 if it can't get there.
static int attach_in_place(struct launch *launch, int tree, struct err *err)
{
	own_fd int place = open(launch->spec->root.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place < 0)
		return 1;
	if (sys_move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "attach '%s'", launch->spec->root.path);
	return 0;
}

// As in mountsource.c: what a user namespace copied by itself keeps the flags of the host's administrator.
static int open_plain(struct launch *launch, struct err *err)
{
	const char *path = launch->spec->root.path;
	own_fd int outside = take_fd(&launch->rootfs.lower);
	int tree = -1;
	if (outside < 0 || (launch_has_userns(launch) && !launch_joined(launch, CLONE_NEWNS)))
		tree = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree >= 0 || outside >= 0)
		return tree >= 0 ? tree : take_fd(&outside);
	return err_sys(err, "clone the mount of '%s'", path);
}

static int attach_plain(struct launch *launch, struct err *err)
{
	const struct spec_root *root = &launch->spec->root;
	own_fd int tree = open_plain(launch, err);
	if (tree < 0)
		return -1;
	int placed = root->no_pivot ? 1 : attach_in_place(launch, tree, err);
	if (placed < 0 || (placed > 0 && make_staging(launch, err) < 0))
		return -1;
	if (placed > 0 && sys_move_mount(tree, "", launch->rootfs.staging, "root", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach '%s'", root->path);
	launch->rootfs.root = take_fd(&tree);
	return mountattr_propagate(launch->rootfs.root, root_propagation(launch), err);
}

// Nothing is attached: the host's mount namespace is this process's, too.
static int take_detached(struct launch *launch, struct err *err)
{
	if (launch->spec->root.overlay || launch->rootfs.lower < 0 || launch_has_userns(launch))
		return err_set(err, EPERM,
			       "a root file system without a mount namespace is for root of the host, without a user namespace");
	launch->rootfs.root = take_fd(&launch->rootfs.lower);
	return mountattr_propagate(launch->rootfs.root, root_propagation(launch), err);
}

// What the child clones by itself, in its own mount namespace, is still to hear of the host's mounts.
static bool wants_slaves(const struct launch *launch)
{
	bool wanted = launch->spec->root.propagation & MS_SLAVE;
	for (size_t i = 0; i < launch->mounts.count; i++)
		wanted = wanted || (launch->mounts.items[i].mount->propagation & (MS_SLAVE | MS_SHARED));
	return wanted;
}

int rootfs_attach(struct launch *launch, struct err *err)
{
	if (!launch_has_mountns(launch))
		return take_detached(launch, err);
	if (sys_mount(NULL, "/", NULL, MS_REC | (wants_slaves(launch) ? MS_SLAVE : MS_PRIVATE), NULL) < 0)
		return err_sys(err, "make the mounts private");
	if (!launch->spec->root.overlay)
		return attach_plain(launch, err);
	if (make_staging(launch, err) < 0)
		return -1;
	return overlay_attach(launch, err);
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

static int pivot(struct launch *launch, struct err *err)
{
	// pivot_root(2), NOTES: with new_root and put_old the same folder, the old root is stacked on the new one and can be dropped.
	// What covers the old root is stacked on that in turn, so it goes first.
	if (fchdir(launch->rootfs.root) < 0)
		return err_sys(err, "enter the container's root");
	if (sys_pivot_root(".", ".") < 0)
		return err_sys(err, "pivot_root");
	for (int stacked = launch->rootfs.covers; stacked >= 0; stacked--) {
		if (sys_umount(".", MNT_DETACH) < 0)
			return err_sys(err, "drop the host's mounts");
	}
	return 0;
}

static int change_root(int folder, const char *what, struct err *err)
{
	return fchdir(folder) < 0 || chroot(".") < 0 ? err_sys(err, "make %s the root", what) : 0;
}

// An initramfs is the namespace's lowest mount, which pivot_root can't move away. The staging that covers it can be.
static int pivot_above(struct launch *launch, struct err *err)
{
	if (nopivot_leave(err) < 0 || change_root(launch->rootfs.staging, "the staging", err) < 0)
		return -1;
	launch->rootfs.covers--;
	return pivot(launch, err);
}

static int enter(struct launch *launch, struct err *err)
{
	if (!launch_has_mountns(launch))
		return change_root(launch->rootfs.root, "the container's root", err);
	return launch->spec->root.no_pivot && launch->rootfs.staging >= 0 ? pivot_above(launch, err) : pivot(launch, err);
}

int rootfs_pivot(struct launch *launch, struct err *err)
{
	if (enter(launch, err) < 0)
		return -1;
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

// Outside of its pid namespace, whose /proc it still sees. The pid is its own as long as the pidfd says that it lives.
static int enter_detached(int pidfd, struct err *err)
{
	char path[64], text[512];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	own_fd int info = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = info >= 0 ? read(info, text, sizeof(text) - 1) : -1;
	text[size > 0 ? size : 0] = '\0';
	char *pid = strstr(text, "\nPid:\t");
	if (!pid)
		return err_sys(err, "find the container's first process");
	pid += strlen("\nPid:\t");
	snprintf(path, sizeof(path), "/proc/%.*s/root", (int)strspn(pid, "0123456789"), pid);
	own_fd int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || sys_pidfd_send_signal(pidfd, 0) < 0)
		return err_sys(err, "open the container's root");
	return change_root(root, "the container's root", err);
}

int rootfs_join(struct launch *launch, struct err *err)
{
	if (launch_has_root(launch) && !launch_has_mountns(launch) && enter_detached(launch->target, err) < 0)
		return -1;
	launch->rootfs.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return launch->rootfs.root < 0 ? err_sys(err, "open the container's root") : 0;
}

int rootfs_protect(struct launch *launch, struct err *err)
{
	const struct spec_root *root = &launch->spec->root;
	if (mounts_protect(launch, err) < 0)
		return -1;
	if (root->readonly && mountattr_set(launch->rootfs.root, MOUNT_ATTR_RDONLY, 0, false, err) < 0)
		return err_wrap(err, "make the root read-only");
	// Private and slave it is since it was attached. Last: what is unbindable can't be masked any more.
	if ((root->propagation & (MS_SHARED | MS_UNBINDABLE)) &&
	    mountattr_propagate(launch->rootfs.root, root->propagation, err) < 0)
		return err_wrap(err, "rootfsPropagation");
	return 0;
}
