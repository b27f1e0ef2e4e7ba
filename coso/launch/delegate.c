// SPDX-License-Identifier: GPL-2.0-or-later
// delegate.c - gives the container's group on cgroup v2 to its program
#include "coso/launch/delegate.h"

#include "coso/launch/idmap.h"
#include "coso/launch/launch.h"
#include "coso/launch/spawn.h"
#include "shared/str.h"

#include <sched.h>
#include <sys/mount.h>

static bool has_writable_mount(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		if (mount->type && (str_eq(mount->type, "cgroup") || str_eq(mount->type, "cgroup2")) &&
		    str_eq(mount->destination, "/sys/fs/cgroup"))
			return !(mount->attr_set & MOUNT_ATTR_RDONLY);
	}
	return false;
}

bool delegate_wanted(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	return spec->cgroup && launch->caller.privileged && !spec->process.user && (spec->namespaces & CLONE_NEWCGROUP) &&
	       has_writable_mount(spec);
}

int delegate_run(struct launch *launch, struct err *err)
{
	const char *joined = launch_joined(launch, CLONE_NEWUSER);
	struct spec_idmaps uids = launch->spec->uid_maps, gids = launch->spec->gid_maps;
	uint32_t uid = launch->spec->process.uid, gid = launch->spec->process.gid;
	if (joined && !uids.count && spawn_read_maps(launch->arena, joined, &uids, &gids, err) < 0)
		return -1;
	if (launch_has_userns(launch) && (!idmap_find(&uids, uid, &uid) || !idmap_find(&gids, gid, &gid)))
		return 0; // that the program can't be this user is told elsewhere
	return cgroup_delegate(&launch->cgroup, uid, gid, err);
}
