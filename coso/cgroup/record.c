// SPDX-License-Identifier: GPL-2.0-or-later
// record.c - what was made of a group as lines of text, and back
#include "coso/cgroup/cgroup.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <string.h>

void cgroup_record(const struct cgroup *cgroup, struct arena *arena, struct strv *out_lines)
{
	if (cgroup->unit)
		strv_push(arena, out_lines, arena_printf(arena, "unit:%s:%s", cgroup->unit_user ? "user" : "system", cgroup->unit));
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		// The controllers of v2 are no part of its name, as in /proc/PID/cgroup.
		if (hierarchy->folder)
			strv_push(arena, out_lines,
				  arena_printf(arena, "%zu:%s:%s", hierarchy->made, hierarchy->v2 ? "" : hierarchy->controllers,
					       hierarchy->folder));
	}
}

// A folder from a file: absolute, clean, and with as many parts as were made for it.
static bool fits(const char *folder, size_t made)
{
	size_t parts = 0;
	if (*folder != '/')
		return false;
	for (const char *at = folder; *at; parts++) {
		size_t length = strcspn(++at, "/");
		if (length == 0 || (length == 1 && *at == '.') || (length == 2 && strncmp(at, "..", 2) == 0))
			return false;
		at += length;
	}
	return made < parts;
}

static bool parse(struct cgroup *cgroup, const char *line)
{
	const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	if (!second)
		return false;
	const char *head = arena_strndup(cgroup->arena, line, (size_t)(first - line)),
		   *rest = arena_strdup(cgroup->arena, second + 1);
	const char *middle = arena_strndup(cgroup->arena, first + 1, (size_t)(second - first - 1));
	if (str_eq(head, "unit")) {
		cgroup->unit = rest;
		cgroup->unit_user = str_eq(middle, "user");
		return *rest && (cgroup->unit_user || str_eq(middle, "system"));
	}
	uint64_t made = 0;
	if (num_u64("made", head, 0, SIZE_MAX, &made, NULL) < 0 || !fits(rest, made) || cgroup->count == CGROUP_HIERARCHIES_MAX)
		return false;
	cgroup->hierarchies[cgroup->count++] = (struct cgroup_hierarchy){
		.controllers = middle,
		.v2 = *middle == '\0',
		.folder = rest,
		.made = made,
		.join = -1,
	};
	return true;
}

int cgroup_reopen(struct arena *arena, const struct strv *lines, struct cgroup *out_cgroup, struct err *err)
{
	struct cgroup cgroup = { .arena = arena, .v2 = -1, .keeper = -1 };
	for (size_t i = 0; i < lines->count; i++)
		if (!parse(&cgroup, lines->items[i]))
			return err_set(err, EINVAL, "read the record of the control group: '%s' is no line of it", lines->items[i]);
	if (cgroup.count)
		cgroup.path = cgroup.hierarchies[0].folder;
	*out_cgroup = cgroup;
	return 0;
}
