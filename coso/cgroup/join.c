// SPDX-License-Identifier: GPL-2.0-or-later
// join.c - how processes get into a group: the child of a launch, an exec, who it is delegated to
#include "coso/cgroup/join.h"

#include "coso/cgroup/folder.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/systemd.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int open_group(struct arena *arena, const char *folder, bool v2, struct err *err)
{
	const char *join = v2 ? folder : arena_printf(arena, "%s/tasks", folder);
	int fd = open(join, v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s'", join) : fd;
}

int join_open(struct arena *arena, struct cgroup_hierarchy *hierarchy, struct err *err)
{
	int fd = open_group(arena, hierarchy->folder, hierarchy->v2, err);
	if (fd < 0)
		return -1;
	fd_close(&hierarchy->join);
	hierarchy->join = fd;
	return 0;
}

void cgroup_close(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++)
		fd_close(&cgroup->hierarchies[i].join);
	systemd_release(cgroup);
	cgroup->v2 = -1;
}

int cgroup_join(const struct cgroup *cgroup, bool cloned_into_v2, struct err *err)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (hierarchy->join < 0 || (hierarchy->v2 && cloned_into_v2))
			continue;
		// "0" is the writer itself; on v1 `tasks` takes no lock that waits for every process of the machine.
		own_fd int procs = hierarchy->v2 ? openat(hierarchy->join, "cgroup.procs", O_WRONLY | O_CLOEXEC) : -1;
		if (write(hierarchy->v2 ? procs : hierarchy->join, "0", 1) != 1)
			return err_sys(err, "join the group '%s'", hierarchy->folder);
	}
	return 0;
}

bool cgroup_has_v1(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (!cgroup->hierarchies[i].v2 && cgroup->hierarchies[i].join >= 0)
			return true;
	return false;
}

// The part of `below` that names a group of this hierarchy, cleaned; "" if none does. *out_named: one of its controllers was named.
static const char *below_of(struct arena *arena, const struct strv *below, const struct cgroup_hierarchy *hierarchy, size_t *used)
{
	const char *found = "";
	for (size_t i = 0; i < below->count; i++) {
		const char *item = below->items[i], *colon = strchr(item, ':');
		bool all = !colon || memchr(item, '/', (size_t)(colon - item)), named = all;
		struct strv words = { 0 };
		if (!all)
			words = str_split(arena, arena_strndup(arena, item, (size_t)(colon - item)), ',');
		for (size_t j = 0; j < words.count; j++)
			named |= hierarchy_listed(hierarchy->controllers, words.items[j]) || (hierarchy->v2 && !*words.items[j]);
		if (named) {
			found = folder_clean(arena, all ? item : colon + 1);
			used[i]++;
		}
	}
	return found;
}

// On v2: the group below `folder` that `pid` is in, or `folder`. Where the mount's root is isn't known here: as much of the path of the
// process as ends `folder` is the group's.
static const char *folder_with(struct arena *arena, const char *folder, pid_t pid)
{
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "/proc/%d/cgroup", (int)pid), FILE_SMALL, NULL, NULL);
	struct strv lines = str_split(arena, text ? text : "", '\n');
	const char *own = "";
	for (size_t i = 0; i < lines.count; i++)
		if (str_starts(lines.items[i], "0::/"))
			own = lines.items[i] + strlen("0::");
	size_t whole = strlen(folder), deepest = 0;
	for (size_t length = 1; own[0] && length <= strlen(own); length++)
		if ((own[length] == '/' || !own[length]) && length <= whole && strncmp(folder + whole - length, own, length) == 0)
			deepest = length;
	return deepest ? arena_printf(arena, "%s%s", folder, own + deepest) : folder;
}

int cgroup_open(struct cgroup *cgroup, const struct strv *below, pid_t init, struct err *err)
{
	struct arena *arena = cgroup->arena;
	size_t *used = arena_alloc(arena, (below->count + 1) * sizeof(*used));
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->folder)
			continue;
		const char *deeper = below_of(arena, below, hierarchy, used), *folder = hierarchy->folder;
		if (*deeper)
			folder = arena_printf(arena, "%s/%s", folder, deeper);
		else if (hierarchy->v2 && init > 0)
			folder = folder_with(arena, folder, init);
		hierarchy->join = open_group(arena, folder, hierarchy->v2, err);
		if (hierarchy->join < 0)
			goto undo;
		if (hierarchy->v2)
			cgroup->v2 = (int)i;
	}
	for (size_t i = 0; i < below->count; i++)
		if (!used[i]) {
			err_set(err, EINVAL, "cgroup '%s': the container has no group with such a controller", below->items[i]);
			goto undo;
		}
	return 0;
undo:
	cgroup_close(cgroup);
	return -1;
}

int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err)
{
	static const char always[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";
	own_arena struct arena arena = { 0 };
	const char *folder = NULL;
	for (size_t i = 0; i < cgroup->count; i++)
		if (cgroup->hierarchies[i].v2 && (cgroup->hierarchies[i].made || cgroup->unit))
			folder = cgroup->hierarchies[i].folder;
	if (!folder)
		return 0;
	const char *list = file_read(&arena, AT_FDCWD, "/sys/kernel/cgroup/delegate", FILE_SMALL, NULL, NULL); // Linux 4.15
	struct strv files = str_split(&arena, list && *list ? list : always, '\n');
	if (chown(folder, uid, gid) < 0)
		return err_sys(err, "give the group '%s' to user %u", folder, uid);
	for (size_t i = 0; i < files.count; i++) {
		const char *file = arena_printf(&arena, "%s/%s", folder, files.items[i]);
		if (*files.items[i] && !strchr(files.items[i], '/') && chown(file, uid, gid) < 0 && errno != ENOENT)
			return err_sys(err, "give '%s' to user %u", file, uid);
	}
	return 0;
}
