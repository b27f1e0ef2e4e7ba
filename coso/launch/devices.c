// SPDX-License-Identifier: GPL-2.0-or-later
// devices.c - nodes and links in /dev
#include "coso/launch/devices.h"

#include "coso/launch/idmap.h"
#include "coso/launch/launch.h"
#include "coso/launch/mounts.h"
#include "coso/launch/spawn.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const struct spec_device standard[] = {
	{ .path = "/dev/null", .type = 'c', .major = 1, .minor = 3, .mode = 0666 },
	{ .path = "/dev/zero", .type = 'c', .major = 1, .minor = 5, .mode = 0666 },
	{ .path = "/dev/full", .type = 'c', .major = 1, .minor = 7, .mode = 0666 },
	{ .path = "/dev/random", .type = 'c', .major = 1, .minor = 8, .mode = 0666 },
	{ .path = "/dev/urandom", .type = 'c', .major = 1, .minor = 9, .mode = 0666 },
	{ .path = "/dev/tty", .type = 'c', .major = 5, .minor = 0, .mode = 0666 },
};

enum { STANDARD = sizeof(standard) / sizeof(standard[0]) };

static const struct {
	const char *path, *target;
} links[] = {
	{ "/dev/fd", "/proc/self/fd" },       { "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
	{ "/dev/stderr", "/proc/self/fd/2" }, { "/dev/ptmx", "pts/ptmx" },
};

static mode_t file_type(char type)
{
	return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static dev_t number(const struct spec_device *device)
{
	return device->type == 'p' ? 0 : makedev(device->major, device->minor);
}

static bool is_device(const struct stat *st, const struct spec_device *device)
{
	return (st->st_mode & S_IFMT) == file_type(device->type) && st->st_rdev == number(device);
}

// Splits "/dev/dir/name" or "/dev/dir/name/": opens (making) the folder, fills in the name within `path`.
static int open_parent(struct launch *launch, const char *path, char out_name[NAME_MAX + 1], struct err *err)
{
	char folder[PATH_MAX];
	size_t length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		length--;
	const char *slash = memrchr(path, '/', length);
	size_t before = slash ? (size_t)(slash - path) : 0;
	if (!slash || before >= sizeof(folder) || length - before > NAME_MAX)
		return err_set(err, EINVAL, "device '%.80s': not an absolute path of a file", path);
	memcpy(folder, path, before);
	folder[before] = '\0';
	memcpy(out_name, slash + 1, length - before - 1);
	out_name[length - before - 1] = '\0';
	return path_mkdirs_in(launch->rootfs.root, before ? folder : "/", err);
}

// The standard devices first, then the spec's.
static const struct spec_device *device_at(const struct spec *spec, size_t index)
{
	return index < STANDARD ? &standard[index] : &spec->devices[index - STANDARD];
}

// A standard one that the spec has, too, is as that says. /dev/ptmx is no node but a link to the container's own.
static bool is_wanted(const struct spec *spec, size_t index)
{
	const struct spec_device *device = device_at(spec, index);
	for (size_t i = 0; index < STANDARD && i < spec->device_count; i++) {
		if (str_eq(spec->devices[i].path, device->path))
			return false;
	}
	return !str_eq(device->path, "/dev/ptmx");
}

size_t devices_count(const struct spec *spec)
{
	return STANDARD + spec->device_count;
}

const char *devices_path(const struct spec *spec, size_t index)
{
	return is_wanted(spec, index) ? device_at(spec, index)->path : NULL;
}

// Those of a user namespace that is joined needn't be in the spec.
static int read_maps(struct launch *launch, struct spec_idmaps *uids, struct spec_idmaps *gids, struct err *err)
{
	const char *joined = launch_joined(launch, CLONE_NEWUSER);
	*uids = launch->spec->uid_maps;
	*gids = launch->spec->gid_maps;
	return joined && !uids->count ? spawn_read_maps(launch->arena, joined, uids, gids, err) : 0;
}

static int make_node(struct launch *launch, const struct spec_idmaps maps[2], size_t index, struct err *err)
{
	const struct spec_device *d = device_at(launch->spec, index);
	const int folder = launch->devices;
	uint32_t uid, gid;
	char name[24];
	snprintf(name, sizeof(name), "%zu", index);
	if (!idmap_find(&maps[0], d->uid, &uid) || !idmap_find(&maps[1], d->gid, &gid))
		return err_set(err, EINVAL, "device '%s': its owner %u:%u isn't among the container's ids", d->path, d->uid,
			       d->gid);
	if (mknodat(folder, name, file_type(d->type) | d->mode, number(d)) < 0 ||
	    fchownat(folder, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "make device '%s'", d->path);
	return 0;
}

// Where /dev is a folder of the host's, all that is to be there is.
static bool has_foreign_dev(const struct launch *launch)
{
	const struct mounts_item *dev = mounts_find(launch, "/dev");
	return dev && dev->kind == MOUNTS_BIND;
}

int devices_prepare(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	if (!launch->caller.privileged || !launch_has_userns(launch) || has_foreign_dev(launch))
		return 0;
	const struct tmpfs tmpfs = {
		.what = "device nodes",
		.size = "64k",
		.mode = "0755",
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};
	struct spec_idmaps maps[2];
	if (read_maps(launch, &maps[0], &maps[1], err) < 0)
		return -1;
	launch->devices = tmpfs_new(&tmpfs, err);
	if (launch->devices < 0)
		return -1;
	int result = 0;
	mode_t old = umask(0);
	for (size_t i = 0; i < devices_count(spec) && result == 0; i++)
		result = is_wanted(spec, i) ? make_node(launch, maps, i, err) : 0;
	umask(old);
	if (result == 0 || err->code != EPERM)
		return result;
	fd_close(&launch->devices); // no CAP_MKNOD: the host's own nodes are bound
	return 0;
}

// A copy of the node's mount: of the one that devices_prepare made, else of the host's own.
static int open_node(struct launch *launch, size_t index, struct err *err)
{
	const struct spec_device *device = device_at(launch->spec, index);
	const char *from = device->host_path ? device->host_path : device->path;
	char name[24];
	snprintf(name, sizeof(name), "%zu", index);
	int node = launch->devices >= 0 ? sys_open_tree(launch->devices, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) :
					  sys_open_tree(AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return node < 0 ? err_sys(err, "device '%s'", from) : node;
}

static int taken(const struct spec_device *device, struct err *err)
{
	return err_set(err, EEXIST, "device '%s': something else has that name", device->path);
}

// Binds a node; it is checked by descriptor, so nothing but this very device is ever bound.
static int bind_device(struct launch *launch, size_t index, int folder, const char *name, struct err *err)
{
	const struct spec_device *device = device_at(launch->spec, index);
	const char *from = device->host_path ? device->host_path : device->path;
	struct stat st;
	own_fd int node = open_node(launch, index, err);
	if (node < 0)
		return -1;
	if (fstat(node, &st) < 0 || !is_device(&st, device))
		return err_set(err, ENODEV, "device '%s': on the host it isn't %c %u:%u", from, device->type, device->major,
			       device->minor);
	own_fd int made = openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	own_fd int target = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0 || fstat(target, &st) < 0)
		return err_sys(err, "make '%s'", device->path);
	if (!S_ISREG(st.st_mode) && !is_device(&st, device))
		return taken(device, err);
	if (sys_move_mount(node, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind device '%s'", device->path);
	return 0;
}

static int make_device(struct launch *launch, size_t index, struct err *err)
{
	const struct spec_device *device = device_at(launch->spec, index);
	char name[NAME_MAX + 1];
	struct stat st;
	own_fd int folder = open_parent(launch, device->path, name, err);
	if (folder < 0)
		return -1;
	if (launch_has_userns(launch))
		return bind_device(launch, index, folder, name, err);
	if (mknodat(folder, name, file_type(device->type) | device->mode, number(device)) < 0) {
		if (errno == EPERM)
			return bind_device(launch, index, folder, name, err);
		if (errno != EEXIST)
			return err_sys(err, "make device '%s'", device->path);
		return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_device(&st, device) ? 0 : taken(device, err);
	}
	// The umask is 0 here, so the mode is as asked.
	if ((device->uid || device->gid) && fchownat(folder, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "chown device '%s'", device->path);
	return 0;
}

static int make_link(struct launch *launch, const char *path, const char *target, struct err *err)
{
	char name[NAME_MAX + 1];
	own_fd int folder = open_parent(launch, path, name, err);
	if (folder < 0)
		return -1;
	if (symlinkat(target, folder, name) < 0 && errno != EEXIST)
		return err_sys(err, "make link '%s'", path);
	return 0;
}

static bool has_proc(struct launch *launch)
{
	const struct mounts_item *proc = mounts_find(launch, "/proc");
	own_fd int fd = proc ? -1 : path_open_in(launch->rootfs.root, "/proc/self/fd", O_PATH, 0, NULL);
	return proc || fd >= 0;
}

// The nodes outside, to be bound: a clone can be made only of what is attached.
static int attach_nodes(struct launch *launch, struct err *err)
{
	if (launch->devices < 0)
		return 0;
	if (launch->rootfs.staging < 0)
		return rootfs_cover(launch, launch->devices, err);
	if (mkdirat(launch->rootfs.staging, "devices", 0755) < 0 ||
	    sys_move_mount(launch->devices, "", launch->rootfs.staging, "devices", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "attach the device nodes");
	return 0;
}

// The console comes when /dev can't be written any more.
static int make_console(struct launch *launch, struct err *err)
{
	const struct mounts_item *dev = mounts_find(launch, "/dev");
	if (!launch->spec->process.terminal || !(dev ? dev->late_readonly : launch->spec->root.readonly))
		return 0;
	own_fd int place = path_mountpoint_in(launch->rootfs.root, "/dev/console", false, err);
	return place < 0 ? -1 : 0;
}

int devices_make(struct launch *launch, struct err *err)
{
	if (has_foreign_dev(launch))
		return 0;
	if (attach_nodes(launch, err) < 0)
		return -1;
	for (size_t i = 0; i < STANDARD + launch->spec->device_count; i++) {
		if (is_wanted(launch->spec, i) && make_device(launch, i, err) < 0)
			return -1;
	}
	const bool proc = has_proc(launch);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if ((proc || !str_starts(links[i].target, "/proc/")) && make_link(launch, links[i].path, links[i].target, err) < 0)
			return -1;
	}
	return make_console(launch, err);
}
