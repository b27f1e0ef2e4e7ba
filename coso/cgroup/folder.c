// SPDX-License-Identifier: GPL-2.0-or-later
// folder.c - the folders of a group
#include "coso/cgroup/folder.h"

#include "shared/str.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// How often a group above may vanish between making it and making one in it: each time, another container was the last to go.
enum { MKDIR_TRIES = 100 };

const char *folder_clean(struct arena *arena, const char *path)
{
	struct strv parts = str_split(arena, path, '/');
	size_t count = 0;
	for (size_t i = 0; i < parts.count; i++) {
		if (!*parts.items[i] || str_eq(parts.items[i], "."))
			continue;
		if (!str_eq(parts.items[i], ".."))
			parts.items[count++] = parts.items[i];
		else if (count)
			count--;
	}
	const char *clean = count ? parts.items[0] : "";
	for (size_t i = 1; i < count; i++)
		clean = arena_printf(arena, "%s/%s", clean, parts.items[i]);
	return clean;
}

int folder_check(const struct cgroup_name *name, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *id = name->id;
	if (name->path && !*folder_clean(&arena, name->path))
		return err_set(err, EINVAL, "cgroupsPath '%s': it names the root of all groups", name->path);
	if (!name->path && (!id || !*id || strchr(id, '/') || str_eq(id, ".") || str_eq(id, "..")))
		return err_set(err, EINVAL, "make a group for '%s': that can't be a group's name", id ? id : "");
	return 0;
}

const char *folder_above(struct arena *arena, const char *folder)
{
	const char *slash = strrchr(folder, '/');
	return slash && slash != folder ? arena_strndup(arena, folder, (size_t)(slash - folder)) : NULL;
}

void folder_count(struct arena *arena, struct cgroup_hierarchy *hierarchy)
{
	hierarchy->made = 0;
	for (const char *at = hierarchy->folder; at && access(at, F_OK) < 0; at = folder_above(arena, at))
		hierarchy->made++;
}

void folder_locate(struct cgroup *cgroup, size_t index, const struct cgroup_name *name)
{
	struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	if (!name->path) { // whose all of it is, nobody has to ask
		hierarchy->folder = arena_printf(cgroup->arena, "%s/coso/%s", hierarchy->top, name->id);
		hierarchy->made = 2;
		return;
	}
	const char *root = *name->path == '/' ? hierarchy->mount : hierarchy->top;
	hierarchy->folder = arena_printf(cgroup->arena, "%s/%s", root, folder_clean(cgroup->arena, name->path));
	folder_count(cgroup->arena, hierarchy);
}

// Makes a folder and what is missing above it, and counts them; what somebody else makes meanwhile is theirs.
static int make(struct arena *arena, const char *folder, size_t *made)
{
	for (int i = 0; i < MKDIR_TRIES; i++) {
		if (mkdir(folder, 0755) == 0) {
			(*made)++;
			return 0;
		}
		if (errno != ENOENT)
			return -1;
		const char *above = folder_above(arena, folder);
		*made = 0;
		if (!above || (make(arena, above, made) < 0 && errno != EEXIST))
			return -1;
	}
	errno = EAGAIN;
	return -1;
}

int folder_make(struct arena *arena, struct cgroup_hierarchy *hierarchy, bool fresh, struct err *err)
{
	const char *folder = hierarchy->folder;
	size_t made = 0;
	int result = make(arena, folder, &made);
	for (int i = 0; fresh && result < 0 && errno == EEXIST && i < MKDIR_TRIES; i++) { // an empty one is left from a crash
		if (rmdir(folder) < 0 && errno != ENOENT)
			return err_set(err, EEXIST, "make the group '%s': it is there already", folder);
		result = make(arena, folder, &made);
	}
	if (result < 0 && errno == EEXIST && !fresh) { // it is used, and stays
		hierarchy->made = 0;
		return 0;
	}
	// Of groups above that two make at the same time, the last to go removes them.
	if (made > hierarchy->made)
		hierarchy->made = made;
	if (result == 0)
		return 0;
	int why = errno;
	err_sys(err, "make the group '%s'", folder);
	folder_unmake(arena, hierarchy);
	return why == EAGAIN ? err_hint(err, "somebody removes the group above again and again") : -1;
}

void folder_unmake(struct arena *arena, const struct cgroup_hierarchy *hierarchy)
{
	int why = errno;
	if (hierarchy->made && (rmdir(hierarchy->folder) == 0 || errno == ENOENT))
		folder_remove_above(arena, hierarchy, NULL);
	errno = why;
}

int folder_remove_above(struct arena *arena, const struct cgroup_hierarchy *hierarchy, struct err *err)
{
	const char *folder = hierarchy->folder;
	for (size_t i = 1; i < hierarchy->made && (folder = folder_above(arena, folder)); i++) {
		if (rmdir(folder) == 0 || errno == ENOENT)
			continue;
		if (errno == EBUSY || errno == ENOTEMPTY) // another container has a group in it
			return 0;
		int why = errno;
		const char *above = folder_above(arena, folder);
		if (above && access(above, W_OK) < 0) // or somebody else's is the group above
			return 0;
		errno = why;
		return err_sys(err, "remove the group '%s'", folder);
	}
	return 0;
}
