// SPDX-License-Identifier: GPL-2.0-or-later
// prepare.c - what a new group takes before a process can be in it and a limit can be set
#include "coso/cgroup/prepare.h"

#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/v1.h"
#include "coso/cgroup/v2.h"
#include "shared/str.h"

int prepare_controllers(struct cgroup *cgroup, size_t index, const struct settings *settings, bool all, struct err *err)
{
	struct strv needed = { 0 };
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].hierarchy == index && *settings->items[i].controller)
			strv_push(cgroup->arena, &needed, settings->items[i].controller);
	return needed.count || all ? v2_hand_down(cgroup->arena, &cgroup->hierarchies[index], &needed, all, err) : 0;
}

int prepare_group(struct cgroup *cgroup, size_t index, const struct settings *settings, bool all, struct err *err)
{
	const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	if (!hierarchy->v2)
		return hierarchy_listed(hierarchy->controllers, "cpuset") ? v1_cpuset_inherit(cgroup->arena, hierarchy, err) : 0;
	if (hierarchy->made == 0)
		v2_hold(cgroup->arena, hierarchy->folder); // groups that were below it are gone
	return prepare_controllers(cgroup, index, settings, all, err);
}
