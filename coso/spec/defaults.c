// SPDX-License-Identifier: GPL-2.0-or-later
// defaults.c - default mounts, masks and settings
#include "coso/spec/defaults.h"

#include "shared/sys.h"

#include <sched.h>
#include <string.h>

#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const struct spec_mount standard[] = {
	{ .type = "proc", .destination = "/proc", .attr_set = QUIET },
	{ .type = "tmpfs",
	  .destination = "/dev",
	  .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
	  .data = "mode=755,size=65536k" },
	{ .type = "devpts",
	  .destination = "/dev/pts",
	  .attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	  .data = "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ .type = "tmpfs", .source = "shm", .destination = "/dev/shm", .attr_set = QUIET, .data = "mode=1777,size=65536k" },
	{ .type = "mqueue", .destination = "/dev/mqueue", .attr_set = QUIET, .optional = true },
	{ .type = "sysfs", .destination = "/sys", .attr_set = QUIET | MOUNT_ATTR_RDONLY },
	{ .type = "cgroup", .destination = "/sys/fs/cgroup", .attr_set = QUIET | MOUNT_ATTR_RDONLY, .optional = true },
};

static const char *const masked[] = {
	"/proc/acpi",        "/proc/asound",        "/proc/interrupts", "/proc/kcore",
	"/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
	"/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};

static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

void defaults_add_mount(struct spec *spec, const struct spec_mount *mount)
{
	spec->mounts = arena_grow(spec->arena, spec->mounts, spec->mount_count, sizeof(*spec->mounts));
	spec->mounts[spec->mount_count++] = *mount;
}

// A user namespace with fewer groups has no gid 5; the slaves then belong to the opener's group.
static bool has_tty_group(const struct spec *spec)
{
	if (!(spec->namespaces & CLONE_NEWUSER))
		return true;
	for (size_t i = 0; i < spec->gid_maps.count; i++) {
		const struct spec_idmap *m = &spec->gid_maps.items[i];
		if (m->container <= 5 && 5 - m->container < m->size)
			return true;
	}
	return false;
}

void defaults_mounts(struct spec *spec)
{
	for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
		struct spec_mount mount = standard[i];
		if (str_eq(mount.type, "devpts") && !has_tty_group(spec))
			mount.data = "newinstance,ptmxmode=0666,mode=0620";
		defaults_add_mount(spec, &mount);
	}
}

static void add_below(struct spec *spec, struct strv *list, const char *path, const char *kind, const char *destination)
{
	size_t length = strlen(kind);
	if (strncmp(path, kind, length) == 0 && path[length] == '/')
		strv_push(spec->arena, list, arena_printf(spec->arena, "%s%s", destination, path + length));
}

void defaults_masks_below(struct spec *spec, const char *kind, const char *destination)
{
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		add_below(spec, &spec->masked_paths, masked[i], kind, destination);
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++)
		add_below(spec, &spec->readonly_paths, readonly[i], kind, destination);
}

void defaults_masks(struct spec *spec)
{
	for (size_t i = 0; i < sizeof(masked) / sizeof(masked[0]); i++)
		strv_push(spec->arena, &spec->masked_paths, masked[i]);
	for (size_t i = 0; i < sizeof(readonly) / sizeof(readonly[0]); i++)
		strv_push(spec->arena, &spec->readonly_paths, readonly[i]);
}

void defaults_ping(struct spec *spec)
{
	uint32_t last = INT32_MAX;
	if (spec->namespaces & CLONE_NEWUSER) {
		last = 0;
		for (size_t i = 0; i < spec->gid_maps.count; i++) {
			const struct spec_idmap *m = &spec->gid_maps.items[i];
			if (m->container <= last + 1 && m->container + m->size - 1 > last)
				last = m->container + m->size - 1;
		}
	}
	strv_push(spec->arena, &spec->sysctl, arena_printf(spec->arena, "net.ipv4.ping_group_range=0 %u", last));
}
