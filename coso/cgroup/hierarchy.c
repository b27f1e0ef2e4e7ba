// SPDX-License-Identifier: GPL-2.0-or-later
// hierarchy.c - which cgroup hierarchies are mounted, and where in them the caller may make a group
#include "coso/cgroup/hierarchy.h"

#include "shared/file.h"
#include "shared/mountinfo.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// One cgroup mount of /proc/self/mountinfo.
struct mount {
	char *root, *point, *options; // options: of the super block; they name a v1 hierarchy's controllers
	bool v2;
};

struct mounts {
	struct mount *items;
	size_t count;
};

bool hierarchy_listed(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; *at; at += *at == ',') {
		size_t piece = strcspn(at, ",");
		if (piece == length && strncmp(at, word, length) == 0)
			return true;
		at += piece;
	}
	return false;
}

static void parse_mount(struct arena *arena, const char *line, struct mounts *mounts)
{
	struct mountinfo m;
	if (!strstr(line, " - cgroup") || !mountinfo_parse(arena_strdup(arena, line), &m))
		return;
	bool v2 = str_eq(m.type, "cgroup2");
	if (!v2 && !str_eq(m.type, "cgroup"))
		return;
	mounts->items = arena_grow(arena, mounts->items, mounts->count, sizeof(*mounts->items));
	mounts->items[mounts->count++] = (struct mount){ .root = m.root, .point = m.point, .options = m.options, .v2 = v2 };
}

// A folder can hold our groups if we may make folders in it and, on v2, move processes across it (cgroups(7), delegation containment).
static int check_writable(struct arena *arena, const char *folder, bool v2)
{
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
		return -1;
	return faccessat(AT_FDCWD, arena_printf(arena, "%s/cgroup.procs", folder), v2 ? W_OK : F_OK, AT_EACCESS);
}

// The caller's group `own` as a path below a mount whose root is `root`; "/" if it isn't below it.
static const char *own_below(const char *own, const char *root)
{
	if (str_eq(root, "/"))
		return own;
	size_t length = strlen(root);
	if (strncmp(own, root, length) == 0 && own[length] == '/')
		return own + length;
	return "/";
}

// The topmost writable group from the mount's root down to the caller's own; NULL with the errno of the first refusal.
static const char *find_top(struct arena *arena, const struct mount *mount, const char *own)
{
	if (check_writable(arena, mount->point, mount->v2) == 0)
		return mount->point;
	int first = errno;
	size_t whole = strlen(own);
	for (size_t length = 1; length < whole;) {
		length += strcspn(own + length, "/");
		const char *folder = arena_printf(arena, "%s%.*s", mount->point, (int)length, own);
		if (check_writable(arena, folder, mount->v2) == 0)
			return folder;
		if (own[length] == '/')
			length++;
	}
	errno = first;
	return NULL;
}

static const char *why_unusable(struct arena *arena, const struct mount *mount)
{
	if (errno == EROFS)
		return arena_printf(arena, "it is mounted read-only on '%s'; remount it read-write", mount->point);
	if (errno == EACCES || errno == EPERM)
		return arena_printf(arena, "no group below '%s' is delegated to user %u; %s", mount->point, (unsigned int)geteuid(),
				    mount->v2 ? "start with 'systemd-run --user --scope -p Delegate=yes …'" :
						"run as root, or have one made and owned by that user");
	return arena_printf(arena, "'%s' can't be used: %s", mount->point, strerrordesc_np(errno));
}

// What a child of `top` can have: the controllers of v2 are those that the groups above hand down.
static const char *v2_controllers(struct arena *arena, const char *top)
{
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "%s/cgroup.controllers", top), FILE_SMALL, NULL, NULL);
	if (!text)
		return "";
	str_clean(text);
	for (char *at = text; *at; at++)
		if (*at == ' ')
			*at = ',';
	return text;
}

static bool mount_serves(const struct mount *mount, struct strv controllers, bool v2)
{
	if (mount->v2 != v2)
		return false;
	for (size_t i = 0; !v2 && i < controllers.count; i++)
		if (!hierarchy_listed(mount->options, controllers.items[i]))
			return false;
	return true;
}

static struct cgroup_hierarchy look_at(struct arena *arena, const struct mount *mount, const char *controllers, const char *own)
{
	own = own_below(own, mount->root);
	const char *top = find_top(arena, mount, own);
	struct cgroup_hierarchy hierarchy = {
		.mount = mount->point,
		.own = own,
		.unusable = top ? NULL : why_unusable(arena, mount),
		.top = top ? top : mount->point,
		.v2 = mount->v2,
		.join = -1,
	};
	hierarchy.controllers = mount->v2 ? v2_controllers(arena, hierarchy.top) : controllers;
	return hierarchy;
}

// One line of /proc/self/cgroup: "NUMBER:CONTROLLERS:PATH". A hierarchy may be mounted more than once: the first usable mount is
// taken, else the first, for the reason why it isn't.
static void parse_own(struct cgroup *cgroup, const struct mounts *mounts, const char *line)
{
	struct arena *arena = cgroup->arena;
	const char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	if (!second || second[1] != '/' || cgroup->count == CGROUP_HIERARCHIES_MAX)
		return;
	const char *controllers = arena_strndup(arena, first + 1, (size_t)(second - first - 1));
	struct strv names = str_split(arena, controllers, ',');
	struct cgroup_hierarchy chosen = { 0 };
	for (size_t i = 0; i < mounts->count; i++) {
		if (!mount_serves(&mounts->items[i], names, *controllers == '\0'))
			continue;
		struct cgroup_hierarchy hierarchy = look_at(arena, &mounts->items[i], controllers, second + 1);
		if (!chosen.mount || !hierarchy.unusable)
			chosen = hierarchy;
		if (!hierarchy.unusable)
			break;
	}
	if (chosen.mount)
		cgroup->hierarchies[cgroup->count++] = chosen;
}

int hierarchy_parse(struct cgroup *cgroup, const char *mountinfo, const char *own, struct err *err)
{
	struct mounts mounts = { 0 };
	struct strv lines = str_split(cgroup->arena, mountinfo, '\n');
	for (size_t i = 0; i < lines.count; i++)
		parse_mount(cgroup->arena, lines.items[i], &mounts);
	lines = str_split(cgroup->arena, own, '\n');
	if (lines.count == 0 || !strchr(lines.items[0], ':'))
		return err_set(err, EINVAL, "read '/proc/self/cgroup': the kernel has no control groups (CONFIG_CGROUPS)");
	for (size_t i = 0; i < lines.count; i++)
		parse_own(cgroup, &mounts, lines.items[i]);
	return 0;
}

int hierarchy_find(const struct cgroup *cgroup, const char *controller)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (!cgroup->hierarchies[i].unusable && hierarchy_listed(cgroup->hierarchies[i].controllers, controller))
			return (int)i;
	return -1;
}

int hierarchy_find_v2(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (!cgroup->hierarchies[i].unusable && cgroup->hierarchies[i].v2)
			return (int)i;
	return -1;
}

// The line of /proc/cgroups, "NAME\tHIERARCHY\tGROUPS\tENABLED", in words.
static const char *why_kernel(const char *controller)
{
	own_arena struct arena arena = { 0 };
	const char *name = str_eq(controller, "io") ? "blkio" : controller;
	char *text = file_read(&arena, AT_FDCWD, "/proc/cgroups", FILE_SMALL, NULL, NULL);
	if (!text)
		return "it is not mounted, nor is /proc/cgroups there to say whether the kernel has it";
	struct strv lines = str_split(&arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct strv fields = str_split(&arena, lines.items[i], '\t');
		if (fields.count == 4 && str_eq(fields.items[0], name))
			return str_eq(fields.items[3], "0") ? "it is disabled on the kernel's command line (cgroup_disable=)" :
							      "it is not mounted; mount it, for example under /sys/fs/cgroup";
	}
	return "this kernel is built without it";
}

const char *hierarchy_why_missing(const struct cgroup *cgroup, const char *controller)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		const char *root = hierarchy->v2 ? v2_controllers(cgroup->arena, hierarchy->mount) : hierarchy->controllers;
		if (!hierarchy_listed(root, !hierarchy->v2 && str_eq(controller, "io") ? "blkio" : controller))
			continue;
		if (hierarchy->unusable)
			return hierarchy->unusable;
		return arena_printf(cgroup->arena, "it is not delegated to '%s'; with systemd, name it in Delegate= of that unit",
				    hierarchy->top);
	}
	return why_kernel(controller);
}
