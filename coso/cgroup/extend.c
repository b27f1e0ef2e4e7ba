// SPDX-License-Identifier: GPL-2.0-or-later
// extend.c - a group that turns out to need a hierarchy that it isn't in
#include "coso/cgroup/extend.h"

#include "coso/cgroup/folder.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/members.h"
#include "coso/cgroup/prepare.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MOVE_MS = 10000 }; // until nobody is left outside

static bool same(const struct cgroup_hierarchy *a, const struct cgroup_hierarchy *b)
{
	return a->v2 == b->v2 && (a->v2 || str_eq(a->controllers, b->controllers));
}

int extend_learn(struct cgroup *cgroup, struct err *err)
{
	struct cgroup host;
	if (cgroup->count && cgroup->hierarchies[0].mount)
		return 0;
	if (cgroup_detect(cgroup->arena, &host, err) < 0)
		return -1;
	for (size_t i = 0; i < host.count; i++)
		for (size_t j = 0; j < cgroup->count; j++) {
			const struct cgroup_hierarchy *known = &cgroup->hierarchies[j];
			if (!same(&host.hierarchies[i], known))
				continue;
			host.hierarchies[i].folder = known->folder;
			host.hierarchies[i].made = known->made;
			host.hierarchies[i].join = known->join;
		}
	memcpy(cgroup->hierarchies, host.hierarchies, sizeof(host.hierarchies));
	cgroup->count = host.count;
	return 0;
}

// The group's name below the root that it was made below, as a cgroupsPath.
static const char *name_of(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		const char *const roots[] = { hierarchy->top, hierarchy->mount };
		for (size_t j = 0; hierarchy->folder && j < 2; j++) {
			size_t length = strlen(roots[j]);
			if (strncmp(hierarchy->folder, roots[j], length) == 0 && hierarchy->folder[length] == '/')
				return hierarchy->folder + length + (j == 0);
		}
	}
	return NULL;
}

// Everybody who is in `from`; who is forked meanwhile is found by the next look.
static int move_all(const char *from, const char *to, struct err *err)
{
	int64_t deadline = proc_now_ms() + MOVE_MS;
	for (;;) {
		own_arena struct arena arena = { 0 };
		struct cgroup_pids all = { 0 }, there = { 0 };
		struct err why = { 0 };
		size_t missing = 0;
		if (members_list(&arena, from, &all, err) < 0 || members_list(&arena, to, &there, err) < 0)
			return -1;
		for (size_t i = 0, j = 0; i < all.count; i++) {
			while (j < there.count && there.items[j] < all.items[i])
				j++;
			if (j < there.count && there.items[j] == all.items[i])
				continue;
			missing++;
			const char *pid = arena_printf(&arena, "%d", (int)all.items[i]);
			if (file_put(AT_FDCWD, arena_printf(&arena, "%s/cgroup.procs", to), pid, &why) < 0 && why.code != ESRCH)
				return err_set(err, why.code, "%s", why.msg);
		}
		if (missing == 0)
			return 0;
		if (proc_now_ms() >= deadline)
			return err_set(err, ETIMEDOUT, "move all processes into the group '%s': they fork faster", to);
	}
}

int extend_into(struct cgroup *cgroup, size_t index, const struct settings *settings, struct err *err)
{
	struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	const char *from = members_folder(cgroup);
	struct cgroup_name name = { .path = name_of(cgroup) };
	if (!from || !name.path)
		return err_set(err, ENOTSUP, "the container has no control group");
	folder_locate(cgroup, index, &name);
	if (folder_make(cgroup->arena, hierarchy, false, err) < 0) {
		hierarchy->folder = NULL;
		return -1;
	}
	if (prepare_group(cgroup, index, settings, false, err) == 0 && move_all(from, hierarchy->folder, err) == 0)
		return 0;
	struct cgroup_pids pids = { 0 };
	const char *above = folder_above(cgroup->arena, hierarchy->folder);
	if (above && members_list(cgroup->arena, hierarchy->folder, &pids, NULL) == 0 && pids.count)
		move_all(hierarchy->folder, above, NULL);
	folder_unmake(cgroup->arena, hierarchy);
	hierarchy->folder = NULL;
	return -1;
}

int extend_to(struct cgroup *cgroup, const char *controller, struct err *err)
{
	if (extend_learn(cgroup, err) < 0)
		return -1;
	int index = hierarchy_find(cgroup, controller);
	if (index < 0 && str_eq(controller, "freezer"))
		index = hierarchy_find_v2(cgroup);
	if (index < 0)
		return err_set(err, ENOTSUP, "it takes the cgroup controller '%s', and %s", controller,
			       hierarchy_why_missing(cgroup, controller));
	return extend_into(cgroup, (size_t)index, &(struct settings){ .arena = cgroup->arena }, err);
}
