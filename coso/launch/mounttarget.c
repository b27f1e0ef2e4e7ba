// SPDX-License-Identifier: GPL-2.0-or-later
// mounttarget.c - where a mount may go
#include "coso/launch/mounttarget.h"

#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/str.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>

// What others know better than the kernel (lxcfs and the like), and mount in each container.
static const char *const emulated[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static bool is_proc(int fd)
{
	struct statfs fs;
	return fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

static bool binds_proc(const struct mounts_item *item)
{
	struct statfs fs;
	if (item->kind != MOUNTS_BIND || item->within)
		return false;
	return item->source >= 0 ? is_proc(item->source) : statfs(item->mount->source, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int mounttarget_check(const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (item->kind == MOUNTS_REMOUNT)
		return 0;
	if (str_eq(item->path, "/proc")) {
		if ((item->kind == MOUNTS_NEW && str_eq(m->type, "proc")) || binds_proc(item))
			return 0;
		return err_set(err, EPERM, "mount on '/proc': it is not of type proc, and nothing else may be there");
	}
	if (!str_starts(item->path, "/proc/"))
		return 0;
	for (size_t i = 0; i < sizeof(emulated) / sizeof(emulated[0]); i++) {
		if (str_eq(item->path, emulated[i]))
			return 0;
	}
	return err_set(err, EPERM, "mount on '%s': it is inside /proc, where only a few files may be mounted on", item->path);
}

// Those that show the kernel; and whatever goes where the container's own files about the kernel are read and written.
static bool is_guarded(const struct mounts_item *item)
{
	return str_eq(item->mount->type, "proc") || str_eq(item->mount->type, "sysfs") || str_eq(item->path, "/proc") ||
	       str_eq(item->path, "/sys");
}

int mounttarget_open(struct launch *launch, const struct mounts_item *item, struct path_target *out_target, struct err *err)
{
	const bool guarded = is_guarded(item);
	const unsigned int how =
		(item->file ? PATH_FILE : 0) | (guarded ? PATH_PLAIN : 0) | (item->mount->target_nofollow ? PATH_NOFOLLOW : 0);
	struct path_target target = { .fd = -1 };
	if (path_target_in(launch->rootfs.root, item->path, how, &target, err) < 0) {
		if (guarded && err->code == ELOOP)
			return err_set(err, ELOOP,
				       "mount point '%s': there is a symbolic link, but '%s' must be mounted on ordinary directory",
				       item->path, item->mount->type);
		return err_wrap(err, "mount point '%s'", item->path);
	}
	if (target.linked && is_proc(target.fd)) {
		fd_close(&target.fd);
		return err_set(err, ELOOP, "mount point '%s': a symbolic link leads to /proc", item->path);
	}
	*out_target = target;
	return 0;
}
