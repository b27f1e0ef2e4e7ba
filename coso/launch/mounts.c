// SPDX-License-Identifier: GPL-2.0-or-later
// mounts.c - mounts by descriptor: nothing of the container's root is ever named by a path of the host
#include "coso/launch/mounts.h"

#include "coso/launch/cgroupmount.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_bind(const struct spec_mount *mount)
{
	return str_eq(mount->type, "bind");
}

static void split_options(struct launch *launch, struct mounts_item *item)
{
	const char *data = item->mount->data;
	if (!data || !*data)
		return;
	struct strv pieces = str_split(launch->arena, data, ',');
	for (size_t i = 0; i < pieces.count; i++) {
		char *key = pieces.items[i], *equals = strchr(key, '=');
		if (!*key)
			continue;
		if (equals)
			*equals = '\0';
		item->options = arena_grow(launch->arena, item->options, item->option_count, sizeof(*item->options));
		item->options[item->option_count++] = (struct mounts_option){ key, equals ? equals + 1 : NULL };
	}
}

static unsigned int tree_flags(const struct spec_mount *mount)
{
	return OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (mount->recursive ? AT_RECURSIVE : 0);
}

int mounts_prepare(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	struct mounts *m = &launch->mounts;
	m->items = arena_alloc(launch->arena, (spec->mount_count + 1) * sizeof(*m->items));
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct mounts_item *item = &m->items[m->count++];
		item->mount = &spec->mounts[i];
		item->source = -1;
		item->folder = true;
		split_options(launch, item);
		if (!is_bind(item->mount))
			continue;
		struct stat st;
		if (stat(item->mount->source, &st) < 0)
			return err_sys(err, "volume source '%s'", item->mount->source);
		item->folder = S_ISDIR(st.st_mode);
		if (!launch->caller.privileged)
			continue;
		item->source = sys_open_tree(AT_FDCWD, item->mount->source, tree_flags(item->mount));
		if (item->source < 0)
			return err_sys(err, "open volume source '%s'", item->mount->source);
	}
	return 0;
}

void mounts_close(struct launch *launch)
{
	for (size_t i = 0; i < launch->mounts.count; i++)
		fd_close(&launch->mounts.items[i].source);
	launch->mounts.count = 0;
}

// Linux before 5.12: the attributes as flags of a remount, through the descriptor's name in the host's /proc.
static int remount(int mount, uint64_t set, bool recursive, struct err *err)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} flags[] = {
		{ MOUNT_ATTR_RDONLY, MS_RDONLY }, { MOUNT_ATTR_NOSUID, MS_NOSUID },   { MOUNT_ATTR_NODEV, MS_NODEV },
		{ MOUNT_ATTR_NOEXEC, MS_NOEXEC }, { MOUNT_ATTR_NOATIME, MS_NOATIME },
	};
	unsigned long all = MS_REMOUNT | MS_BIND;
	char path[32];
	if (recursive)
		return err_set(err, ENOSYS, "recursive mount attributes need mount_setattr(2) of Linux 5.12");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		all |= set & flags[i].attribute ? flags[i].flag : 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	return sys_mount(NULL, path, NULL, all, NULL) < 0 ? err_sys(err, "remount") : 0;
}

int mounts_make_private(int mount, struct err *err)
{
	struct mount_attr attr = { .propagation = MS_PRIVATE };
	char path[32];
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr) == 0)
		return 0;
	if (errno != ENOSYS)
		return err_sys(err, "make a mount private");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount); // before Linux 5.12
	return sys_mount(NULL, path, NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? err_sys(err, "make a mount private") : 0;
}

int mounts_set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive, struct err *err)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };
	if (!set && !clear)
		return 0;
	if (set & MOUNT_ATTR__ATIME) // one of several values: the old one has to be cleared with the whole field
		attr.attr_clr |= MOUNT_ATTR__ATIME;
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) == 0)
		return 0;
	if (errno == ENOSYS)
		return remount(mount, set, recursive, err);
	return err_sys(err, "set mount attributes");
}

static int attach(int mount, int target, const struct spec_mount *m, struct err *err)
{
	if (sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "mount '%s' on '%s'", m->source ? m->source : m->type, m->destination);
	return 0;
}

// A new mount of a type. EPERM for proc and sysfs means that this user namespace may not have a fresh one.
static int make_filesystem(const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	own_fd int fs = sys_fsopen(m->type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(err, "mount '%s' on '%s'", m->type, m->destination);
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", m->source ? m->source : m->type, 0) < 0)
		return err_sys(err, "set the source of '%s'", m->type);
	for (size_t i = 0; i < item->option_count; i++) {
		const struct mounts_option *o = &item->options[i];
		if (sys_fsconfig(fs, o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, o->key, o->value, 0) < 0)
			return err_sys(err, "mount '%s' on '%s': option '%s%s%s'", m->type, m->destination, o->key,
				       o->value ? "=" : "", o->value ? o->value : "");
	}
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "mount '%s' on '%s'", m->type, m->destination);
	int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)m->attr_set);
	return mount < 0 ? err_sys(err, "mount '%s' on '%s'", m->type, m->destination) : mount;
}

static bool shows_kernel(const struct spec_mount *m)
{
	return str_eq(m->type, "proc") || str_eq(m->type, "sysfs");
}

// Where the namespace that it shows is the caller's own, a user namespace may not mount it afresh: the caller's mount serves.
static const char *host_instead(const struct launch *launch, const struct spec_mount *m)
{
	if (str_eq(m->type, "proc") && !(launch->spec->namespaces & CLONE_NEWPID))
		return "/proc";
	return str_eq(m->type, "sysfs") && !(launch->spec->namespaces & CLONE_NEWNET) ? "/sys" : NULL;
}

static int open_source(const struct mounts_item *item, const char *path, struct err *err)
{
	const struct spec_mount *m = item->mount;
	int mount = item->source >= 0 ? fcntl(item->source, F_DUPFD_CLOEXEC, 3) :
					sys_open_tree(AT_FDCWD, path, tree_flags(m) | (is_bind(m) ? 0 : AT_RECURSIVE));
	if (mount < 0)
		return err_sys(err, "bind '%s' on '%s'", path, m->destination);
	return mount;
}

// mount_namespaces(7): a user namespace may not have a proc or sysfs that shows more than its maker saw, and in a container parts of
// the maker's are covered. Without a user namespace, root of the host may.
static int explain_covered(const struct launch *launch, const struct spec_mount *m, struct err *err)
{
	if (!launch_has_userns(launch))
		return -1;
	err_hint(err, "parts of the caller's '%s' are covered, as in a container: that one has to leave it uncovered%s",
		 m->destination, launch->spec->userns_auto ? "; or --userns host" : " (--privileged)");
	err->code = launch->spec->userns_auto ? EUSERS : err->code;
	return -1;
}

static int make_mount(const struct launch *launch, const struct mounts_item *item, bool *out_bound, struct err *err)
{
	const struct spec_mount *m = item->mount;
	*out_bound = is_bind(m);
	if (is_bind(m))
		return open_source(item, m->source, err);
	if (str_eq(m->type, "sysfs") && launch->sysfs >= 0) {
		int made = fcntl(launch->sysfs, F_DUPFD_CLOEXEC, 3);
		return made < 0 ? err_sys(err, "mount sysfs") : made;
	}
	int mount = make_filesystem(item, err);
	const char *instead = host_instead(launch, m);
	if (mount < 0 && err->code == EPERM && instead) {
		*out_bound = true;
		mount = open_source(item, instead, err);
	}
	return mount < 0 && err->code == EPERM && shows_kernel(m) ? explain_covered(launch, m, err) : mount;
}

// proc and sysfs are where the container's own files about the kernel are read and written: never through a link of the image.
static int open_target(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (shows_kernel(m)) {
		int fd = path_open_beneath(launch->rootfs.root, m->destination + 1, O_PATH | O_DIRECTORY, 0, err);
		if (fd >= 0 || err->code != ENOENT)
			return fd;
	}
	return path_mountpoint_in(launch->rootfs.root, m->destination, item->folder, err);
}

static int attach_made(const struct mounts_item *item, int mount, bool bound, int target, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (attach(mount, target, m, err) < 0)
		return -1;
	if (bound && !m->propagation && mounts_make_private(mount, err) < 0)
		return err_wrap(err, "mount '%s' on '%s'", m->source ? m->source : m->type, m->destination);
	if (bound && (mounts_set_attributes(mount, m->attr_set, m->attr_clear, !is_bind(m), err) < 0 ||
		      mounts_set_attributes(mount, m->deep_set, m->deep_clear, true, err) < 0))
		return err_wrap(err, "mount '%s' on '%s'", m->source ? m->source : m->type, m->destination);
	if (m->propagation) {
		struct mount_attr attr = { .propagation = m->propagation & ~(unsigned long)MS_REC };
		if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (m->propagation & MS_REC ? AT_RECURSIVE : 0), &attr) < 0)
			return err_sys(err, "set the propagation of '%s'", m->destination);
	}
	return 0;
}

static int attach_one(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	bool bound = false, cgroup = str_eq(m->type, "cgroup");
	own_fd int mount = cgroup ? -1 : make_mount(launch, item, &bound, err);
	if (mount < 0 && !cgroup)
		return m->optional ? 0 : -1;
	own_fd int target = open_target(launch, item, err);
	if (target < 0)
		return err_wrap(err, "mount point '%s'", m->destination);
	if (cgroup)
		return cgroupmount_attach(launch, m, target, err) < 0 && !m->optional ? -1 : 0;
	return attach_made(item, mount, bound, target, err);
}

int mounts_attach(struct launch *launch, struct err *err)
{
	for (size_t i = 0; i < launch->mounts.count; i++) {
		if (attach_one(launch, &launch->mounts.items[i], err) < 0)
			return -1;
	}
	return 0;
}

int mounts_make_readonly(int root, const char *path, struct err *err)
{
	own_fd int target = path_open_in(root, path, O_PATH, 0, err);
	if (target < 0)
		return err->code == ENOENT ? 0 : -1;
	own_fd int copy = sys_open_tree(target, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (copy < 0 || sys_move_mount(copy, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind '%s' over itself", path);
	if (mounts_set_attributes(copy, MOUNT_ATTR_RDONLY, 0, false, err) < 0)
		return err_wrap(err, "make '%s' read-only", path);
	return 0;
}
