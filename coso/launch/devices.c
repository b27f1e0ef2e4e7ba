// SPDX-License-Identifier: GPL-2.0-or-later
// devices.c - nodes and links in /dev
#include "coso/launch/devices.h"

#include "coso/launch/launch.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
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

static bool is_device(int fd, const struct spec_device *device)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == file_type(device->type) &&
	       (device->type == 'p' || st.st_rdev == makedev(device->major, device->minor));
}

// Splits "/dev/dir/name": opens (making) the folder, returns the name within `path`.
static int open_parent(struct launch *launch, const char *path, const char **out_name, struct err *err)
{
	char folder[256];
	const char *slash = strrchr(path, '/');
	if (!slash || !slash[1] || (size_t)(slash - path) >= sizeof(folder))
		return err_set(err, EINVAL, "device '%.80s': not an absolute path of a file", path);
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	*out_name = slash + 1;
	return path_mkdirs_in(launch->rootfs.root, folder[0] ? folder : "/", err);
}

// The host id of the container's root.
static uint32_t root_of(const struct spec_idmaps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->items[i].container == 0)
			return maps->items[i].host;
	}
	return 0;
}

// The standard devices first, then the spec's.
static const struct spec_device *device_at(const struct spec *spec, size_t index)
{
	return index < STANDARD ? &standard[index] : &spec->devices[index - STANDARD];
}

static int make_node(const struct spec *spec, int folder, size_t index)
{
	const struct spec_device *d = device_at(spec, index);
	char name[24];
	snprintf(name, sizeof(name), "%zu", index);
	if (mknodat(folder, name, file_type(d->type) | d->mode, makedev(d->major, d->minor)) < 0)
		return -1;
	return fchownat(folder, name, root_of(&spec->uid_maps), root_of(&spec->gid_maps), AT_SYMLINK_NOFOLLOW);
}

int devices_prepare(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	if (!launch->caller.privileged || !launch_has_userns(launch))
		return 0;
	const struct tmpfs tmpfs = {
		.what = "device nodes",
		.size = "64k",
		.mode = "0755",
		.attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};
	launch->devices = tmpfs_new(&tmpfs, err);
	if (launch->devices < 0)
		return -1;
	int failed = 0;
	mode_t old = umask(0);
	for (size_t i = 0; i < STANDARD + spec->device_count && !failed; i++)
		failed = make_node(spec, launch->devices, i);
	umask(old);
	if (failed && errno == EPERM) // no CAP_MKNOD: the host's own nodes are bound
		fd_close(&launch->devices);
	else if (failed)
		return err_sys(err, "make device nodes");
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

// Binds a node; it is checked by descriptor, so nothing but this very device is ever bound.
static int bind_device(struct launch *launch, size_t index, struct err *err)
{
	const struct spec_device *device = device_at(launch->spec, index);
	const char *from = device->host_path ? device->host_path : device->path;
	own_fd int node = open_node(launch, index, err);
	if (node < 0)
		return -1;
	if (!is_device(node, device))
		return err_set(err, ENODEV, "device '%s': on the host it isn't %c %u:%u", from, device->type, device->major,
			       device->minor);
	const char *name;
	own_fd int folder = open_parent(launch, device->path, &name, err);
	if (folder < 0)
		return -1;
	own_fd int made = openat(folder, name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	own_fd int target = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (target < 0 || fstat(target, &st) < 0)
		return err_sys(err, "make '%s'", device->path);
	if (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
		return err_set(err, EEXIST, "device '%s': something else has that name", device->path);
	if (sys_move_mount(node, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind device '%s'", device->path);
	return 0;
}

static int make_device(struct launch *launch, size_t index, struct err *err)
{
	const struct spec_device *device = device_at(launch->spec, index);
	const char *name;
	own_fd int folder = open_parent(launch, device->path, &name, err);
	if (folder < 0)
		return -1;
	if (mknodat(folder, name, file_type(device->type) | device->mode, makedev(device->major, device->minor)) < 0) {
		if (errno == EPERM)
			return bind_device(launch, index, err);
		if (errno != EEXIST)
			return err_sys(err, "make device '%s'", device->path);
		own_fd int there = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		return is_device(there, device) ? 0 :
						  err_set(err, EEXIST, "device '%s': something else has that name", device->path);
	}
	// The umask is 0 here, so the mode is as asked.
	if ((device->uid || device->gid) && fchownat(folder, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, "chown device '%s'", device->path);
	return 0;
}

static int make_link(struct launch *launch, const char *path, const char *target, struct err *err)
{
	const char *name;
	own_fd int folder = open_parent(launch, path, &name, err);
	if (folder < 0)
		return -1;
	if (symlinkat(target, folder, name) < 0 && errno != EEXIST)
		return err_sys(err, "make link '%s'", path);
	return 0;
}

int devices_make(struct launch *launch, struct err *err)
{
	bool bind = launch_has_userns(launch);
	if (launch->devices >= 0 &&
	    (mkdirat(launch->rootfs.staging, "devices", 0755) < 0 ||
	     sys_move_mount(launch->devices, "", launch->rootfs.staging, "devices", MOVE_MOUNT_F_EMPTY_PATH) < 0))
		return err_sys(err, "attach the device nodes");
	for (size_t i = 0; i < STANDARD + launch->spec->device_count; i++) {
		if ((bind ? bind_device(launch, i, err) : make_device(launch, i, err)) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (make_link(launch, links[i].path, links[i].target, err) < 0)
			return -1;
	}
	return 0;
}
