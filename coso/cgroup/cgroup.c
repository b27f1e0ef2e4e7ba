// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup.c - the one door to control groups: making one, removing it
#include "coso/cgroup/cgroup.h"

#include "coso/cgroup/devices.h"
#include "coso/cgroup/folder.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/join.h"
#include "coso/cgroup/members.h"
#include "coso/cgroup/prepare.h"
#include "coso/cgroup/removal.h"
#include "coso/cgroup/settings.h"
#include "coso/cgroup/systemd.h"
#include "shared/file.h"
#include "shared/hash.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAUSE_MS = 1 }; // between looks at a group that is being emptied

int cgroup_detect(struct arena *arena, struct cgroup *out_cgroup, struct err *err)
{
	struct cgroup cgroup = { .arena = arena, .v2 = -1, .keeper = -1 };
	char *mountinfo = file_read(arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, err);
	char *own = mountinfo ? file_read(arena, AT_FDCWD, "/proc/self/cgroup", FILE_SMALL, NULL, err) : NULL;
	if (!own || hierarchy_parse(&cgroup, mountinfo, own, err) < 0)
		return -1;
	*out_cgroup = cgroup;
	return 0;
}

struct cgroup_name cgroup_name_of(const struct spec *spec)
{
	return (struct cgroup_name){
		.id = spec->id,
		.path = spec->cgroups_path,
		.manager = spec->cgroup_manager,
		.properties = spec->annotations,
		.property_count = spec->annotation_count,
	};
}

const char *cgroup_id(struct arena *arena, int states, const char *folder, const char *id)
{
	struct stat st = { 0 };
	(void)fstatat(states, folder, &st, 0); // in vain: then it is a name that nobody has
	const char *where = arena_printf(arena, "@%lx.%lx", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	if (strlen(id) + strlen(where) <= NAME_MAX)
		return arena_printf(arena, "%s%s", id, where);
	return arena_printf(arena, "%.180s@%" PRIx64 "%s", id, hash_bytes(id, strlen(id)), where);
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

// Chooses the hierarchies in which to make a group that is named by its id.
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

// A path that was asked for is an error where nothing can be made.
static int choose_all(const struct cgroup *cgroup, bool *wanted, struct err *err)
{
	bool any = false;
	for (size_t i = 0; i < cgroup->count; i++)
		any |= wanted[i] = !cgroup->hierarchies[i].unusable;
	if (any)
		return 0;
	return err_set(err, ENOTSUP, "%s", cgroup->count ? cgroup->hierarchies[0].unusable : "no cgroup file system is mounted");
}

// Where the unit's group will be, as far as that is known before systemd is asked; it makes it, so nothing is ours.
static int plan_unit(struct cgroup *cgroup, const struct cgroup_name *name, const bool *wanted, struct err *err)
{
	struct systemd_name parsed;
	cgroup->unit_user = systemd_is_user();
	if (systemd_parse(cgroup->arena, name, cgroup->unit_user, &parsed, err) < 0)
		return -1;
	cgroup->unit = parsed.unit;
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		hierarchy->folder = wanted[i] ? arena_printf(cgroup->arena, "%s%s", hierarchy->top, parsed.group) : NULL;
		hierarchy->made = 0;
	}
	return 0;
}

static int plan(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources,
		struct settings *out_settings, struct err *err)
{
	bool wanted[CGROUP_HIERARCHIES_MAX] = { 0 };
	bool systemd = name->manager == SPEC_CGROUP_SYSTEMD;
	if ((!systemd && folder_check(name, err) < 0) || devices_check(resources->devices, resources->device_count, err) < 0)
		return -1;
	if (resources->device_count && find_devices(cgroup) < 0)
		return err_set(err, ENOTSUP, "set the device rules: they take cgroup v2 or the v1 controller 'devices', and %s",
			       hierarchy_why_missing(cgroup, "devices"));
	if (settings_plan(cgroup, resources, out_settings, err) < 0)
		return -1;
	if (!name->path && !systemd)
		choose(cgroup, out_settings, resources->device_count > 0, wanted);
	else if (choose_all(cgroup, wanted, err) < 0)
		return err_wrap(err, "make the group '%s'", name->path ? name->path : name->id);
	if (systemd)
		return plan_unit(cgroup, name, wanted, err);
	for (size_t i = 0; i < cgroup->count; i++) {
		cgroup->hierarchies[i].folder = NULL;
		if (wanted[i])
			folder_locate(cgroup, i, name);
	}
	return 0;
}

int cgroup_plan(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err)
{
	struct settings settings;
	return plan(cgroup, name, resources, &settings, err);
}

static int not_empty(struct cgroup *cgroup, const char *folder, struct err *err)
{
	struct cgroup_pids pids = { 0 };
	if (members_list(cgroup->arena, folder, &pids, err) < 0)
		return -1;
	return pids.count ?
		       err_set(err, EBUSY, "container's cgroup is not empty: %zu process(es) found in '%s'", pids.count, folder) :
		       0;
}

static int make_group(struct cgroup *cgroup, size_t index, const struct settings *settings, bool own, struct err *err)
{
	struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[index];
	struct err why;
	if (cgroup->unit)
		folder_count(cgroup->arena, hierarchy); // systemd has made those that it manages
	if (folder_make(cgroup->arena, hierarchy, own, &why) < 0) {
		if (why.code != EEXIST || not_empty(cgroup, hierarchy->folder, err) == 0)
			err_set(err, why.code, "%s", why.msg);
		folder_unmake(cgroup->arena, hierarchy);
		return -1;
	}
	if ((hierarchy->made == 0 && !cgroup->unit && not_empty(cgroup, hierarchy->folder, err) < 0) ||
	    prepare_group(cgroup, index, settings, !own, err) < 0 || join_open(cgroup->arena, hierarchy, err) < 0) {
		folder_unmake(cgroup->arena, hierarchy);
		return -1;
	}
	return 0;
}

// Takes back what this call made, in the hierarchies before `end`, and nobody joined yet.
static void unmake(struct cgroup *cgroup, size_t end)
{
	cgroup_close(cgroup);
	if (cgroup->unit)
		systemd_stop(cgroup, NULL);
	cgroup->unit = NULL;
	for (size_t i = 0; i < cgroup->count; i++) {
		if (i < end && cgroup->hierarchies[i].folder)
			folder_unmake(cgroup->arena, &cgroup->hierarchies[i]);
		cgroup->hierarchies[i].folder = NULL;
	}
}

static int limit(struct cgroup *cgroup, const struct spec_resources *resources, const struct settings *settings, struct err *err)
{
	if (settings_apply(cgroup, settings, err) < 0)
		return -1;
	if (resources->device_count == 0)
		return 0;
	const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[find_devices(cgroup)];
	if (hierarchy->v2)
		return devices_apply_v2(cgroup->arena, hierarchy->join, hierarchy->made == 0, resources->devices,
					resources->device_count, err);
	return devices_apply_v1(cgroup->arena, hierarchy->folder, resources->devices, resources->device_count, err);
}

int cgroup_create(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err)
{
	struct settings settings;
	bool own = !name->path && name->manager != SPEC_CGROUP_SYSTEMD; // the name is COSO's own
	size_t made = 0;
	if (plan(cgroup, name, resources, &settings, err) < 0)
		return -1;
	if (cgroup->unit && systemd_start(cgroup, name, resources, err) < 0) {
		cgroup->unit = NULL;
		return -1;
	}
	for (; made < cgroup->count; made++)
		if (cgroup->hierarchies[made].folder && make_group(cgroup, made, &settings, own, err) < 0)
			goto undo;
	// A group below a frozen one is born frozen: the child would stop while joining.
	if (!own && cgroup_is_frozen(cgroup)) {
		err_set(err, EBUSY, "container's cgroup unexpectedly frozen");
		goto undo;
	}
	if (limit(cgroup, resources, &settings, err) < 0)
		goto undo;
	for (size_t i = 0; i < cgroup->count; i++)
		// No process can be born in a group that takes none, but one can move there.
		if (cgroup->hierarchies[i].v2 && cgroup->hierarchies[i].join >= 0 && !resources->pids_none)
			cgroup->v2 = (int)i;
	cgroup->path = own ? arena_printf(cgroup->arena, "/coso/%s", name->id) : cgroup->unit ? cgroup->unit : name->path;
	return 0;
undo:
	unmake(cgroup, made);
	return -1;
}

int cgroup_find(struct cgroup *cgroup, const char *id, struct err *err)
{
	const struct cgroup_name name = { .id = id };
	if (folder_check(&name, err) < 0)
		return -1;
	for (size_t i = 0; i < cgroup->count; i++)
		if (!cgroup->hierarchies[i].unusable)
			folder_locate(cgroup, i, &name);
	cgroup->path = arena_printf(cgroup->arena, "/coso/%s", id);
	return 0;
}

// A group that was there before stays, but what was put into it goes.
static int empty(struct cgroup *cgroup, const char *folder, int64_t deadline, struct err *err)
{
	for (;;) {
		own_arena struct arena arena = { 0 };
		struct cgroup_pids pids = { 0 };
		if (members_list(&arena, folder, &pids, err) < 0)
			return -1;
		if (pids.count == 0)
			return 0;
		if (proc_now_ms() >= deadline)
			return err_set(err, EBUSY, "empty the group '%s': what runs in it doesn't end (see its cgroup.procs)",
				       folder);
		if (cgroup_signal(cgroup, SIGKILL, err) < 0)
			return -1;
		poll(NULL, 0, PAUSE_MS);
	}
}

// What runs in it is ended by us: systemd would first ask it to end, and wait.
static int end_unit(struct cgroup *cgroup, int64_t deadline, struct err *err)
{
	const char *folder = members_folder(cgroup);
	if ((folder && empty(cgroup, folder, deadline, err) < 0) || systemd_stop(cgroup, err) < 0)
		return -1;
	cgroup->unit = NULL;
	return 0;
}

int cgroup_remove(struct cgroup *cgroup, int timeout_ms, struct err *err)
{
	int64_t deadline = proc_now_ms() + timeout_ms;
	int result = 0;
	if (members_held(cgroup))
		cgroup_signal(cgroup, SIGKILL, NULL);
	if (cgroup->unit && end_unit(cgroup, deadline, err) < 0)
		result = -1;
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->folder)
			continue;
		bool gone = hierarchy->made ? removal_remove(hierarchy->folder, deadline, err) == 0 :
					      empty(cgroup, hierarchy->folder, deadline, err) == 0;
		if (gone && hierarchy->made)
			gone = folder_remove_above(cgroup->arena, hierarchy, err) == 0;
		if (gone)
			hierarchy->folder = NULL;
		else
			result = -1;
	}
	return result;
}

int cgroup_describe(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources,
		    struct strv *out_lines, struct err *err)
{
	struct settings settings;
	if (plan(cgroup, name, resources, &settings, err) < 0)
		return -1;
	for (size_t i = 0; i < settings.count; i++) {
		const struct setting *setting = &settings.items[i];
		strv_push(cgroup->arena, out_lines,
			  arena_printf(cgroup->arena, "%s: %s = %s in %s", *setting->controller ? setting->controller : "cgroup",
				       setting->file, setting->value, cgroup->hierarchies[setting->hierarchy].folder));
	}
	if (resources->device_count)
		strv_push(cgroup->arena, out_lines,
			  arena_printf(cgroup->arena, "devices: %zu rules in %s", resources->device_count,
				       cgroup->hierarchies[find_devices(cgroup)].folder));
	return 0;
}
