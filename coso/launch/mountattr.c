// SPDX-License-Identifier: GPL-2.0-or-later
// mountattr.c - attributes and propagation of mounts
#include "coso/launch/mountattr.h"

#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>

// mount_setattr(2): one of several values, so the old one has to be cleared with the whole field.
static uint64_t with_atime(uint64_t clear, uint64_t set)
{
	return (set | clear) & MOUNT_ATTR__ATIME ? clear | MOUNT_ATTR__ATIME : clear;
}

static const struct {
	uint64_t attribute;
	unsigned long mount, stat; // MS_*, ST_*
} flags[] = {
	{ MOUNT_ATTR_RDONLY, MS_RDONLY, ST_RDONLY },    { MOUNT_ATTR_NOSUID, MS_NOSUID, ST_NOSUID },
	{ MOUNT_ATTR_NODEV, MS_NODEV, ST_NODEV },       { MOUNT_ATTR_NOEXEC, MS_NOEXEC, ST_NOEXEC },
	{ MOUNT_ATTR_NOATIME, MS_NOATIME, ST_NOATIME }, { MOUNT_ATTR_NODIRATIME, MS_NODIRATIME, ST_NODIRATIME },
	{ MOUNT_ATTR_STRICTATIME, MS_STRICTATIME, 0 },
};

// Linux before 5.12: as flags of a remount, through the descriptor's name in the host's /proc. What isn't asked for stays.
static int remount(int mount, uint64_t set, uint64_t clear, struct err *err)
{
	struct statvfs now;
	unsigned long all = MS_REMOUNT | MS_BIND;
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount);
	if (fstatvfs(mount, &now) < 0)
		return err_sys(err, "look at a mount");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool stays = (now.f_flag & flags[i].stat) && !(clear & flags[i].attribute);
		all |= stays || (set & flags[i].attribute) ? flags[i].mount : 0;
	}
	return sys_mount(NULL, path, NULL, all, NULL) < 0 ? err_sys(err, "remount") : 0;
}

static int set_failed(uint64_t set, struct err *err)
{
	err_sys(err, "set mount attributes");
	return err->code == EINVAL && (set & MOUNT_ATTR_NOSYMFOLLOW) ? err_hint(err, "nosymfollow needs Linux 5.14") : -1;
}

int mountattr_set(int mount, uint64_t set, uint64_t clear, bool recursive, struct err *err)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = with_atime(clear, set) };
	if (!set && !clear)
		return 0;
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) == 0)
		return 0;
	if (errno != ENOSYS)
		return set_failed(set, err);
	if (recursive)
		return err_set(err, ENOSYS, "recursive mount attributes need mount_setattr(2) of Linux 5.12");
	return remount(mount, attr.attr_set, attr.attr_clr, err);
}

int mountattr_propagate(int mount, unsigned long propagation, struct err *err)
{
	struct mount_attr attr = { .propagation = propagation & ~(unsigned long)MS_REC };
	char path[32];
	if (sys_mount_setattr(mount, "", AT_EMPTY_PATH | (propagation & MS_REC ? AT_RECURSIVE : 0), &attr) == 0)
		return 0;
	if (errno != ENOSYS)
		return err_sys(err, "set the propagation of a mount");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mount); // before Linux 5.12
	return sys_mount(NULL, path, NULL, propagation, NULL) < 0 ? err_sys(err, "set the propagation of a mount") : 0;
}

// What the whole tree gets first. "slave" is for all of it also without the r: what is mounted below would stay the host's peer.
static unsigned long of_tree(unsigned long propagation, bool foreign)
{
	switch (propagation & ~(unsigned long)MS_REC) {
	case MS_SLAVE:
		return MS_SLAVE;
	case MS_SHARED:
		return foreign ? MS_SLAVE : 0;
	case MS_UNBINDABLE:
		return propagation & MS_REC ? MS_UNBINDABLE : MS_PRIVATE;
	default:
		return MS_PRIVATE;
	}
}

static int share(int mount, unsigned long propagation, bool foreign, struct err *err)
{
	const unsigned long tree = of_tree(propagation, foreign);
	if (tree && mountattr_propagate(mount, tree | MS_REC, err) < 0)
		return -1;
	if ((propagation & MS_SHARED) || propagation == MS_UNBINDABLE)
		return mountattr_propagate(mount, propagation, err);
	return 0;
}

// Where the tree and the mount itself disagree, the tree wins.
static void split(const struct spec_mount *spec, uint64_t *set, uint64_t *clear)
{
	const uint64_t deep = with_atime(spec->deep_clear, spec->deep_set) | spec->deep_set;
	*set = spec->attr_set & ~deep;
	*clear = spec->attr_clear & ~deep;
}

int mountattr_bind(int mount, const struct spec_mount *spec, bool foreign, struct err *err)
{
	uint64_t set, clear;
	split(spec, &set, &clear);
	if (share(mount, spec->propagation, foreign, err) < 0 ||
	    mountattr_set(mount, spec->deep_set, spec->deep_clear, true, err) < 0)
		return -1;
	return mountattr_set(mount, set, clear, false, err);
}

unsigned int mountattr_new(const struct spec_mount *spec)
{
	uint64_t set, clear;
	split(spec, &set, &clear);
	return (unsigned int)(set | spec->deep_set);
}

bool mountattr_is_readonly(const struct spec_mount *spec)
{
	return mountattr_new(spec) & MOUNT_ATTR_RDONLY;
}
