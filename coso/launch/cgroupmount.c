// SPDX-License-Identifier: GPL-2.0-or-later
// cgroupmount.c - mounts the container's own groups
#include "coso/launch/cgroupmount.h"

#include "coso/launch/launch.h"
#include "coso/launch/mountattr.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int attach(int mount, int target, const char *path, const char *name, struct err *err)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | (*name ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
	if (sys_move_mount(mount, "", target, name, flags) < 0)
		return err_sys(err, "mount on '%s/%s'", path, name);
	return 0;
}

static unsigned int attributes(const struct mounts_item *item)
{
	return mountattr_new(item->mount);
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

// A mount that shows the container's cgroup namespace.
static int open_new(const struct cgroup_hierarchy *hierarchy, const struct mounts_item *item, struct err *err)
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
	int fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, attributes(item));
	return fd < 0 ? err_sys(err, "mount a cgroup file system") : fd;
}

// A clone of the mount of the group's own folder.
static int open_group(const struct cgroup_hierarchy *hierarchy, struct err *err)
{
	int tree = sys_open_tree(AT_FDCWD, hierarchy->folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree < 0 ? err_sys(err, "bind the group '%s'", hierarchy->folder) : tree;
}

static bool has_group(const struct cgroup_hierarchy *hierarchy)
{
	return hierarchy->folder;
}

static bool has_namespace(const struct launch *launch)
{
	return launch_has(launch, CLONE_NEWCGROUP);
}

static int finish_group(int mount, const struct mounts_item *item, struct err *err)
{
	return mountattr_propagate(mount, MS_PRIVATE, err) < 0 ? -1 : mountattr_set(mount, attributes(item), 0, false, err);
}

// Mounts what is to be seen of a hierarchy on the folder `name` of `target`, or ("") on that itself.
static int add_hierarchy(struct launch *launch, const struct cgroup_hierarchy *hierarchy, const struct mounts_item *item,
			 int target, const char *name, struct err *err)
{
	const bool fresh = has_namespace(launch);
	own_fd int mount = fresh ? open_new(hierarchy, item, err) : open_group(hierarchy, err);
	if (mount < 0)
		return -1;
	const int early = fresh ? 0 : finish_group(mount, item, err);
	if (early < 0 && err->code != ENOSYS)
		return -1;
	if (attach(mount, target, item->path, name, err) < 0)
		return -1;
	return early < 0 ? finish_group(mount, item, err) : 0; // before Linux 5.12 only once it is attached
}

int cgroupmount_open(const struct cgroup_hierarchy *hierarchy, const struct mounts_item *item, struct err *err)
{
	own_fd int mount = open_group(hierarchy, err);
	return mount < 0 || finish_group(mount, item, err) < 0 ? -1 : take_fd(&mount);
}

static int make_tmpfs(const struct mounts_item *item, struct err *err)
{
	const struct tmpfs tmpfs = {
		.what = "/sys/fs/cgroup",
		.source = "cgroup",
		.mode = "0755",
		// Writable until the folders are made.
		.attributes = attributes(item) & ~(unsigned int)MOUNT_ATTR_RDONLY,
	};
	return tmpfs_new(&tmpfs, err);
}

// "cpu" and "cpuacct" lead to "cpu,cpuacct".
static int link_controllers(int top, const char *name, struct err *err)
{
	char word[64];
	for (const char *c = name; strchr(name, ',') && *c; c += *c == ',') {
		size_t length = strcspn(c, ",");
		snprintf(word, sizeof(word), "%.*s", (int)length, c);
		if (symlinkat(name, top, word) < 0)
			return err_sys(err, "make link '%s'", word);
		c += length;
	}
	return 0;
}

const char *cgroupmount_name(const struct cgroup_hierarchy *hierarchy)
{
	const char *slash = strrchr(hierarchy->mount, '/');
	return slash ? slash + 1 : hierarchy->mount;
}

static int make_folders(const struct launch *launch, const struct mounts_item *item, int top, struct err *err)
{
	for (size_t i = 0; i < launch->cgroup.count; i++) {
		const struct cgroup_hierarchy *h = &launch->cgroup.hierarchies[i];
		if (!has_group(h))
			continue;
		if (mkdirat(top, cgroupmount_name(h), 0755) < 0)
			return err_sys(err, "make folder '%s/%s'", item->path, cgroupmount_name(h));
		if (link_controllers(top, cgroupmount_name(h), err) < 0)
			return -1;
	}
	return 0;
}

static int attach_all(struct launch *launch, const struct mounts_item *item, int target, struct err *err)
{
	const uint64_t readonly = attributes(item) & MOUNT_ATTR_RDONLY;
	own_fd int top = make_tmpfs(item, err);
	if (top < 0 || make_folders(launch, item, top, err) < 0)
		return -1;
	const int early = mountattr_set(top, readonly, 0, false, err);
	if (early < 0 && err->code != ENOSYS)
		return -1;
	if (attach(top, target, item->path, "", err) < 0)
		return -1;
	for (size_t i = 0; i < launch->cgroup.count; i++) {
		const struct cgroup_hierarchy *h = &launch->cgroup.hierarchies[i];
		if (has_group(h) && add_hierarchy(launch, h, item, top, cgroupmount_name(h), err) < 0)
			return -1;
	}
	return early < 0 ? mountattr_set(top, readonly, 0, false, err) : 0;
}

static const struct cgroup_hierarchy *find_v2(const struct launch *launch)
{
	for (size_t i = 0; i < launch->cgroup.count; i++) {
		if (launch->cgroup.hierarchies[i].v2 && has_group(&launch->cgroup.hierarchies[i]))
			return &launch->cgroup.hierarchies[i];
	}
	return NULL;
}

int cgroupmount_attach(struct launch *launch, const struct mounts_item *item, int target, struct err *err)
{
	const struct cgroup_hierarchy *v2 = find_v2(launch);
	if (cgroup_has_v1(&launch->cgroup) && str_eq(item->mount->type, "cgroup"))
		return attach_all(launch, item, target, err);
	if ((v2 || has_namespace(launch)) && add_hierarchy(launch, v2, item, target, "", err) == 0)
		return 0;
	return v2 ? -1 : attach_all(launch, item, target, err);
}
