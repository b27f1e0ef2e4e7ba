// SPDX-License-Identifier: GPL-2.0-or-later
// cgroupmount.c - mounts the container's own groups
#include "coso/launch/cgroupmount.h"

#include "coso/launch/launch.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int attach(int mount, int target, const char *name, struct err *err)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	if (sys_move_mount(mount, "", target, name, flags) < 0)
		return err_sys(err, "mount on '/sys/fs/cgroup/%s'", name);
	return 0;
}

// Sets "cpu,cpuacct" or "name=systemd" as options of a v1 file system: that picks the hierarchy.
static int pick_hierarchy(int fs, const char *controllers, struct err *err)
{
	char word[64];
	if (str_starts(controllers, "name=")) {
		if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, "none", NULL, 0) < 0 ||
		    sys_fsconfig(fs, FSCONFIG_SET_STRING, "name", controllers + strlen("name="), 0) < 0)
			return err_sys(err, "choose cgroup hierarchy '%s'", controllers);
		return 0;
	}
	for (const char *c = controllers; *c; c += *c == ',') {
		size_t length = strcspn(c, ",");
		snprintf(word, sizeof(word), "%.*s", (int)length, c);
		if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, word, NULL, 0) < 0)
			return err_sys(err, "choose cgroup hierarchy '%s'", controllers);
		c += length;
	}
	return 0;
}

static int open_hierarchy(const struct cgroup_hierarchy *hierarchy, const struct spec_mount *mount, struct err *err)
{
	bool v2 = !hierarchy || hierarchy->v2;
	own_fd int fs = sys_fsopen(v2 ? "cgroup2" : "cgroup", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(err, "open a cgroup file system");
	if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", "cgroup", 0) < 0)
		return err_sys(err, "set the source of a cgroup file system");
	if (!v2 && pick_hierarchy(fs, hierarchy->controllers, err) < 0)
		return -1;
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "mount cgroup hierarchy '%s'", v2 ? "v2" : hierarchy->controllers);
	int fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)mount->attr_set);
	return fd < 0 ? err_sys(err, "mount a cgroup file system") : fd;
}

static int make_tmpfs(const struct spec_mount *mount, struct err *err)
{
	const struct tmpfs tmpfs = {
		.what = "/sys/fs/cgroup",
		.source = "cgroup",
		.mode = "0755",
		// Writable until the folders are made.
		.attributes = (unsigned int)mount->attr_set & ~(unsigned int)MOUNT_ATTR_RDONLY,
	};
	return tmpfs_new(&tmpfs, err);
}

static int attach_v1(struct launch *launch, const struct spec_mount *mount, int target, struct err *err)
{
	own_fd int top = make_tmpfs(mount, err);
	if (top < 0 || attach(top, target, "", err) < 0)
		return -1;
	for (size_t i = 0; i < launch->cgroup.count; i++) {
		const struct cgroup_hierarchy *h = &launch->cgroup.hierarchies[i];
		if (h->join < 0)
			continue;
		const char *slash = strrchr(h->mount, '/'), *name = slash ? slash + 1 : h->mount;
		own_fd int hierarchy = open_hierarchy(h, mount, err);
		if (hierarchy < 0)
			return -1;
		if (mkdirat(top, name, 0755) < 0)
			return err_sys(err, "make folder '/sys/fs/cgroup/%s'", name);
		if (attach(hierarchy, top, name, err) < 0)
			return -1;
	}
	return mounts_set_attributes(top, mount->attr_set & MOUNT_ATTR_RDONLY, 0, false, err);
}

int cgroupmount_attach(struct launch *launch, const struct spec_mount *mount, int target, struct err *err)
{
	if (!(launch->spec->namespaces & CLONE_NEWCGROUP))
		return 0;
	if (cgroup_has_v1(&launch->cgroup))
		return attach_v1(launch, mount, target, err);
	own_fd int v2 = open_hierarchy(NULL, mount, err);
	return v2 < 0 ? -1 : attach(v2, target, "", err);
}
