// SPDX-License-Identifier: GPL-2.0-or-later
// oom.c - how often processes of a group ran out of memory, and when
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

// The group of the memory controller; on v2, of whatever has its file.
static const struct cgroup_hierarchy *find_memory(const struct cgroup *cgroup)
{
	const struct cgroup_hierarchy *v2 = NULL;
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (hierarchy->folder && !hierarchy->v2 && hierarchy_listed(hierarchy->controllers, "memory"))
			return hierarchy;
		if (hierarchy->folder && hierarchy->v2)
			v2 = hierarchy;
	}
	return v2;
}

static int64_t kills_of(const char *folder, bool v2)
{
	own_arena struct arena arena = { 0 };
	const char *path = arena_printf(&arena, "%s/%s", folder, v2 ? "memory.events" : "memory.oom_control");
	char *text = file_read(&arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
	struct strv lines = str_split(&arena, text ? text : "", '\n');
	int64_t kills = -1;
	for (size_t i = 0; i < lines.count; i++)
		if (str_starts(lines.items[i], "oom_kill "))
			num_i64("oom_kill", lines.items[i] + strlen("oom_kill "), 0, INT64_MAX, &kills, NULL);
	return kills;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup)
{
	const struct cgroup_hierarchy *memory = find_memory(cgroup);
	return memory ? kills_of(memory->folder, memory->v2) : -1;
}

static int watch_v1(struct arena *arena, const char *folder, struct err *err)
{
	own_fd int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	own_fd int control = open(arena_printf(arena, "%s/memory.oom_control", folder), O_RDONLY | O_CLOEXEC);
	if (fd < 0 || control < 0)
		return err_sys(err, "watch '%s/memory.oom_control'", folder);
	const char *line = arena_printf(arena, "%d %d", fd, control);
	if (file_put(AT_FDCWD, arena_printf(arena, "%s/cgroup.event_control", folder), line, err) < 0)
		return -1;
	return take_fd(&fd);
}

static int watch_v2(struct arena *arena, const char *folder, struct err *err)
{
	own_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0 || inotify_add_watch(fd, arena_printf(arena, "%s/memory.events", folder), IN_MODIFY) < 0)
		return err_sys(err, "watch '%s/memory.events'", folder);
	return take_fd(&fd);
}

int cgroup_oom_watch(const struct cgroup *cgroup, struct cgroup_oom *out_watch, struct err *err)
{
	const struct cgroup_hierarchy *memory = find_memory(cgroup);
	if (!memory)
		return err_set(err, ENOTSUP,
			       "watch for memory that runs out: the container has no group with the controller 'memory'");
	int fd = (memory->v2 ? watch_v2 : watch_v1)(cgroup->arena, memory->folder, err);
	if (fd < 0)
		return -1;
	*out_watch = (struct cgroup_oom){
		.fd = fd,
		.v2 = memory->v2,
		.folder = memory->folder,
		.kills = kills_of(memory->folder, memory->v2),
	};
	return 0;
}

bool cgroup_oom_happened(struct cgroup_oom *watch)
{
	char events[4096];
	while (read(watch->fd, events, sizeof(events)) > 0)
		continue;
	int64_t kills = kills_of(watch->folder, watch->v2);
	if (kills < 0) // the group went
		return false;
	// v1 tells of nothing else, and of a process that has to wait for memory since nobody is killed.
	bool happened = !watch->v2 || kills > watch->kills;
	watch->kills = kills;
	return happened;
}

void cgroup_oom_close(struct cgroup_oom *watch)
{
	fd_close(&watch->fd);
}
