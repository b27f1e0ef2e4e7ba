// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup.c - the one door to control groups
#include "coso/cgroup/cgroup.h"

#include "coso/cgroup/devices.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/removal.h"
#include "coso/cgroup/settings.h"
#include "coso/cgroup/v1.h"
#include "coso/cgroup/v2.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// How often "coso" may vanish between making it and making a group in it: each time, another container was the last to go.
enum { MKDIR_TRIES = 100 };

int cgroup_detect(struct arena *arena, struct cgroup *out_cgroup, struct err *err)
{
	struct cgroup cgroup = { .arena = arena, .v2 = -1 };
	char *mountinfo = file_read(arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, err);
	char *own = mountinfo ? file_read(arena, AT_FDCWD, "/proc/self/cgroup", FILE_SMALL, NULL, err) : NULL;
	if (!own || hierarchy_parse(&cgroup, mountinfo, own, err) < 0)
		return -1;
	*out_cgroup = cgroup;
	return 0;
}

static int check_id(const char *id, struct err *err)
{
	if (!id || !*id || strchr(id, '/') || str_eq(id, ".") || str_eq(id, ".."))
		return err_set(err, EINVAL, "make a group for '%s': that can't be a group's name", id ? id : "");
	return 0;
}

static const char *folder_of(const struct cgroup *cgroup, size_t hierarchy, const char *id)
{
	return arena_printf(cgroup->arena, "%s/%s", cgroup->hierarchies[hierarchy].base, id);
}

// A hierarchy that a service manager uses to know which processes are whose: staying in the caller's group would end a container
// together with the session or the service that started it.
static bool tracks(const struct cgroup_hierarchy *hierarchy)
{
	bool named = hierarchy->v2 ? *hierarchy->controllers == '\0' : str_starts(hierarchy->controllers, "name=");
	return named && !str_eq(hierarchy->own, "/");
}

// Where device rules are set: v1 has a controller for them, v2 takes a program in any group. -1: nowhere.
static int find_devices(const struct cgroup *cgroup)
{
	int v1 = hierarchy_find(cgroup, "devices");
	return v1 >= 0 ? v1 : hierarchy_find_v2(cgroup);
}

bool cgroup_takes_devices(const struct cgroup *cgroup)
{
	return find_devices(cgroup) >= 0;
}

static int plan(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct settings *out_settings,
		struct err *err)
{
	if (check_id(id, err) < 0 || devices_check(resources->devices, resources->device_count, err) < 0)
		return -1;
	if (resources->device_count && find_devices(cgroup) < 0)
		return err_set(err, ENOTSUP, "set the device rules: they take cgroup v2 or the v1 controller 'devices', and %s",
			       hierarchy_why_missing(cgroup, "devices"));
	return settings_plan(cgroup, resources, out_settings, err);
}

// Chooses the hierarchies in which to make the group.
static void choose(const struct cgroup *cgroup, const struct settings *settings, bool devices, bool *wanted)
{
	for (size_t i = 0; i < cgroup->count; i++)
		wanted[i] = !cgroup->hierarchies[i].unusable && tracks(&cgroup->hierarchies[i]);
	for (size_t i = 0; i < settings->count; i++)
		wanted[settings->items[i].hierarchy] = true;
	if (devices)
		wanted[find_devices(cgroup)] = true;
	// One in which all processes of the container can be found and ended: v2 has cgroup.kill, pids can stop forks.
	int v2 = hierarchy_find_v2(cgroup), pids = hierarchy_find(cgroup, "pids"), freezer = hierarchy_find(cgroup, "freezer");
	if (v2 >= 0 && wanted[v2])
		return;
	int killing = pids >= 0 ? pids : v2 >= 0 ? v2 : freezer;
	if (killing >= 0)
		wanted[killing] = true;
}

static int make_folder(const struct cgroup_hierarchy *hierarchy, const char *folder, struct err *err)
{
	for (int i = 0; i < MKDIR_TRIES; i++) {
		if (mkdir(folder, 0755) == 0)
			return 0;
		int why = errno;
		if (why == ENOENT && mkdir(hierarchy->base, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make the group '%s'", hierarchy->base);
		if (why == EEXIST && rmdir(folder) < 0 && errno != ENOENT) // an empty one is left from a crash
			return err_set(err, EEXIST, "make the group '%s': there is one with processes in it", folder);
		if (why != ENOENT && why != EEXIST)
			return err_set(err, why, "make the group '%s': %s", folder, strerrordesc_np(why));
	}
	return err_set(err, EAGAIN, "make the group '%s': somebody removes '%s' again and again", folder, hierarchy->base);
}

// v2: the groups above must hand the controllers down that the settings take.
static int enable(const struct cgroup *cgroup, size_t index, const struct settings *settings, struct err *err)
{
	const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	struct strv controllers = { 0 };
	for (size_t i = 0; i < settings->count; i++)
		if (settings->items[i].hierarchy == index && *settings->items[i].controller)
			strv_push(cgroup->arena, &controllers, settings->items[i].controller);
	if (controllers.count == 0)
		return 0;
	if (v2_enable(cgroup->arena, hierarchy->top, &controllers, err) < 0)
		return -1;
	return v2_enable(cgroup->arena, hierarchy->base, &controllers, err);
}

static int make_group(struct cgroup *cgroup, size_t index, const char *id, const struct settings *settings, struct err *err)
{
	struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	const char *folder = folder_of(cgroup, index, id);
	if (make_folder(hierarchy, folder, err) < 0) {
		rmdir(hierarchy->base); // made for this one, unless another container has a group in it
		return -1;
	}
	if (hierarchy->v2 && enable(cgroup, index, settings, err) < 0)
		goto undo;
	if (!hierarchy->v2 && hierarchy_listed(hierarchy->controllers, "cpuset") &&
	    v1_cpuset_inherit(cgroup->arena, hierarchy, id, err) < 0)
		goto undo;
	const char *join = hierarchy->v2 ? folder : arena_printf(cgroup->arena, "%s/tasks", folder);
	hierarchy->join = open(join, hierarchy->v2 ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
	if (hierarchy->join < 0) {
		err_sys(err, "open '%s'", join);
		goto undo;
	}
	if (hierarchy->v2)
		cgroup->v2 = (int)index;
	hierarchy->made = true;
	return 0;
undo:
	rmdir(folder);
	rmdir(hierarchy->base);
	return -1;
}

void cgroup_close(struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++)
		fd_close(&cgroup->hierarchies[i].join);
	cgroup->v2 = -1;
}

// Takes back what this call made and nobody joined yet.
static void unmake(struct cgroup *cgroup, const char *id)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		if (cgroup->hierarchies[i].join < 0)
			continue;
		rmdir(folder_of(cgroup, i, id));
		rmdir(cgroup->hierarchies[i].base);
		cgroup->hierarchies[i].made = false;
	}
	cgroup_close(cgroup);
}

static int limit(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, const struct settings *settings,
		 struct err *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->items[i];
		if (settings_apply(cgroup->arena, setting, folder_of(cgroup, setting->hierarchy, id), err) < 0)
			return -1;
	}
	if (resources->device_count == 0)
		return 0;
	size_t index = (size_t)find_devices(cgroup);
	if (cgroup->hierarchies[index].v2)
		return devices_apply_v2(cgroup->arena, cgroup->hierarchies[index].join, resources->devices, resources->device_count,
					err);
	return devices_apply_v1(cgroup->arena, folder_of(cgroup, index, id), resources->devices, resources->device_count, err);
}

int cgroup_create(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct err *err)
{
	bool wanted[CGROUP_HIERARCHIES_MAX] = { 0 };
	struct settings settings;
	if (plan(cgroup, id, resources, &settings, err) < 0)
		return -1;
	choose(cgroup, &settings, resources->device_count > 0, wanted);
	for (size_t i = 0; i < cgroup->count; i++)
		if (wanted[i] && make_group(cgroup, i, id, &settings, err) < 0)
			goto undo;
	if (limit(cgroup, id, resources, &settings, err) < 0)
		goto undo;
	cgroup->path = arena_printf(cgroup->arena, "/coso/%s", id);
	return 0;
undo:
	unmake(cgroup, id);
	return -1;
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
			return err_sys(err, "join the group '%s' below '%s'", cgroup->path, hierarchy->mount);
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

// "coso" stays while another container has a group in it, and where it is somebody else's.
static int remove_base(const struct cgroup_hierarchy *hierarchy, struct err *err)
{
	if (rmdir(hierarchy->base) == 0 || errno == EBUSY || errno == ENOTEMPTY || errno == ENOENT)
		return 0;
	int why = errno;
	if (access(hierarchy->top, W_OK) < 0)
		return 0;
	errno = why;
	return err_sys(err, "remove the group '%s'", hierarchy->base);
}

int cgroup_remove(struct cgroup *cgroup, const char *id, int timeout_ms, struct err *err)
{
	int64_t deadline = proc_now_ms() + timeout_ms;
	int result = 0;
	if (check_id(id, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (hierarchy->unusable || (cgroup->path && !hierarchy->made))
			continue;
		if (removal_remove(hierarchy->base, id, deadline, err) < 0)
			result = -1;
		if (remove_base(hierarchy, err) < 0)
			result = -1;
	}
	return result;
}

static int visit_base(const char *base, void (*visit)(const char *id, void *data), void *data, struct err *err)
{
	DIR *dir = opendir(base);
	if (!dir)
		return errno == ENOENT ? 0 : err_sys(err, "list '%s'", base);
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_type == DT_DIR && !str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			visit(entry->d_name, data);
	closedir(dir);
	return 0;
}

int cgroup_each(struct cgroup *cgroup, void (*visit)(const char *id, void *data), void *data, struct err *err)
{
	for (size_t i = 0; i < cgroup->count; i++)
		if (!cgroup->hierarchies[i].unusable && visit_base(cgroup->hierarchies[i].base, visit, data, err) < 0)
			return -1;
	return 0;
}

int64_t cgroup_oom_kills(const struct cgroup *cgroup, const char *id)
{
	own_arena struct arena arena = { 0 };
	int memory = hierarchy_find(cgroup, "memory");
	if (memory < 0 || check_id(id, NULL) < 0)
		return -1;
	const char *file = cgroup->hierarchies[memory].v2 ? "memory.events" : "memory.oom_control";
	const char *path = arena_printf(&arena, "%s/%s/%s", cgroup->hierarchies[memory].base, id, file);
	char *text = file_read(&arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
	struct strv lines = str_split(&arena, text ? text : "", '\n');
	int64_t kills = -1;
	for (size_t i = 0; i < lines.count; i++)
		if (str_starts(lines.items[i], "oom_kill "))
			num_i64("oom_kill", lines.items[i] + strlen("oom_kill "), 0, INT64_MAX, &kills, NULL);
	return kills;
}

int cgroup_describe(struct cgroup *cgroup, const char *id, const struct spec_resources *resources, struct strv *out_lines,
		    struct err *err)
{
	struct settings settings;
	if (plan(cgroup, id, resources, &settings, err) < 0)
		return -1;
	for (size_t i = 0; i < settings.count; i++) {
		const struct setting *setting = &settings.items[i];
		strv_push(cgroup->arena, out_lines,
			  arena_printf(cgroup->arena, "%s: %s = %s in %s", *setting->controller ? setting->controller : "cgroup",
				       setting->file, setting->value, folder_of(cgroup, setting->hierarchy, id)));
	}
	if (resources->device_count)
		strv_push(cgroup->arena, out_lines,
			  arena_printf(cgroup->arena, "devices: %zu rules in %s", resources->device_count,
				       folder_of(cgroup, (size_t)find_devices(cgroup), id)));
	return 0;
}
