// SPDX-License-Identifier: GPL-2.0-or-later
// idmount.c - id-mapped mounts
#include "coso/launch/idmount.h"

#include "coso/launch/idmap.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

// It takes a process to make one, which is gone again when this returns.
int idmount_userns(struct launch *launch, const struct spec_idmaps *uids, const struct spec_idmaps *gids, struct err *err)
{
	int pidfd = -1, userns = -1, status;
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	const struct idmap map = { &launch->caller, uids, gids };
	int pid = sys_clone3(&args);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	if (pid < 0)
		return err_sys(err, "make a user namespace for id-mapped mounts");
	if (idmap_write(launch->arena, pid, &map, err) == 0) {
		const char *path = arena_printf(launch->arena, "/proc/%d/ns/user", pid);
		userns = open(path, O_RDONLY | O_CLOEXEC);
		if (userns < 0)
			err_sys(err, "open '%s'", path);
	}
	sys_pidfd_send_signal(pidfd, SIGKILL);
	proc_wait(pidfd, -1, &status);
	fd_close(&pidfd);
	return userns;
}

static bool same_maps(const struct spec_idmaps *a, const struct spec_idmaps *b)
{
	return a->count == b->count && memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0;
}

// Most often all mounts have the same maps.
static int userns_of(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	struct mounts_userns *cached = &launch->mounts.userns;
	if (cached->fd >= 0 && same_maps(cached->uids, &m->uid_maps) && same_maps(cached->gids, &m->gid_maps))
		return cached->fd;
	fd_close(&cached->fd);
	cached->fd = idmount_userns(launch, &m->uid_maps, &m->gid_maps, err);
	cached->uids = &m->uid_maps;
	cached->gids = &m->gid_maps;
	return cached->fd;
}

int idmount_map(int mount, int userns, bool recursive)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (__u64)userns };
	return sys_mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

static bool has_maps(const struct spec_mount *m)
{
	return m->uid_maps.count || m->gid_maps.count;
}

bool idmount_is_wanted(const struct spec_mount *mount)
{
	return mount->idmap != SPEC_IDMAP_NONE || has_maps(mount);
}

bool idmount_wants_container(const struct launch *launch, const struct mounts_item *item)
{
	if (item->source < 0 || has_maps(item->mount) || !launch_has_userns(launch))
		return false;
	return item->mount->idmap != SPEC_IDMAP_NONE || launch->spec->root.overlay;
}

int idmount_prepare(struct launch *launch, const struct mounts_item *item, struct err *err)
{
	const struct spec_mount *m = item->mount;
	if (!idmount_is_wanted(m))
		return 0;
	if (item->source < 0)
		return err_set(err, EPERM,
			       "mount on '%s': only root of the host can id-map a mount, and only one of what is on the host",
			       item->path);
	if (!has_maps(m))
		return launch_has_userns(launch) ? 0 :
						   err_set(err, EINVAL,
							   "mount on '%s': idmap without uidMappings and gidMappings is as the "
							   "container is mapped, and it has no user namespace",
							   item->path);
	if (!m->uid_maps.count || !m->gid_maps.count)
		return err_set(err, EINVAL, "mount on '%s': uidMappings and gidMappings go together", item->path);
	int userns = userns_of(launch, item, err);
	if (userns < 0)
		return err_wrap(err, "mount on '%s'", item->path);
	if (idmount_map(item->source, userns, m->idmap == SPEC_IDMAP_TREE) == 0)
		return 0;
	err_sys(err, "id-map '%s', for '%s'", m->source, item->path);
	return err_hint(err, "needs Linux 5.12, and a file system such as ext4, xfs or btrfs that isn't id-mapped there already");
}
