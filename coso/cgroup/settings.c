// SPDX-License-Identifier: GPL-2.0-or-later
// settings.c - limits as a list of files to write, applied and read back
#include "coso/cgroup/settings.h"

#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/v1.h"
#include "coso/cgroup/v2.h"
#include "shared/file.h"
#include "shared/list.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// One row a controller: its names in both worlds, and who turns a spec into its files.
static const struct {
	const char *v1_name, *v2_name;
	void (*v1)(struct settings *settings, const struct spec_resources *resources);
	void (*v2)(struct settings *settings, const struct spec_resources *resources);
} controllers[] = {
	{ "cpuset", "cpuset", v1_cpuset, v2_cpuset },
	{ "cpu", "cpu", v1_cpu, v2_cpu },
	{ "memory", "memory", v1_memory, v2_memory },
	{ "pids", "pids", v1_pids, v2_pids },
	{ "blkio", "io", v1_io, v2_io },
};

enum { CONTROLLERS = sizeof(controllers) / sizeof(*controllers) };

uint64_t settings_weight_of_shares(uint64_t shares)
{
	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	double l = log2((double)shares);
	// A hair off, or rounding makes 101 of the 100 that 1024 must be.
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34) - 1e-9);
}

uint64_t settings_shares_of_weight(uint64_t weight)
{
	return (weight * 1024 + 50) / 100;
}

void settings_add(struct settings *settings, struct setting setting)
{
	settings->items = arena_grow(settings->arena, settings->items, settings->count, sizeof(*settings->items));
	settings->items[settings->count++] = setting;
}

static int check_range(const char *what, uint64_t value, uint64_t min, uint64_t max, struct err *err)
{
	if (value == 0 || (value >= min && value <= max))
		return 0;
	return err_set(err, EINVAL, "%s %llu: %llu to %llu is possible", what, (unsigned long long)value, (unsigned long long)min,
		       (unsigned long long)max);
}

static int check_unlimited(const char *what, int64_t value, struct err *err)
{
	if (value >= -1)
		return 0;
	return err_set(err, EINVAL, "%s %lld: it can't be negative, but for -1, which is unlimited", what, (long long)value);
}

// What no kernel takes, or takes in silence as something else.
static int check(const struct spec_resources *resources, struct err *err)
{
	if (check_unlimited("memory limit", resources->memory_limit, err) < 0 ||
	    check_unlimited("limit of memory and swap", resources->memory_swap, err) < 0 ||
	    check_unlimited("memory reservation", resources->memory_reservation, err) < 0 ||
	    check_unlimited("limit of processes", resources->pids_limit, err) < 0 ||
	    check_unlimited("CPU quota", resources->cpu_quota, err) < 0 ||
	    check_range("CPU shares", resources->cpu_shares, 2, 262144, err) < 0 ||
	    check_range("CPU weight", resources->cpu_weight, 1, 10000, err) < 0 ||
	    check_range("CPU period (µs)", resources->cpu_period, 1000, 1000000, err) < 0 ||
	    check_range("CPU quota (µs)", resources->cpu_quota < 0 ? 0 : (uint64_t)resources->cpu_quota, 1000, INT64_MAX, err) <
		    0 ||
	    check_range("I/O weight", resources->io_weight, 1, 10000, err) < 0)
		return -1;
	if (resources->memory_swap > 0 && resources->memory_limit <= 0)
		return err_set(err, EINVAL, "limit of memory and swap %lld: it needs a memory limit too",
			       (long long)resources->memory_swap);
	if (resources->memory_swap > 0 && resources->memory_swap < resources->memory_limit)
		return err_set(err, EINVAL,
			       "limit of memory and swap %lld: it counts both, so it can't be below the memory limit %lld",
			       (long long)resources->memory_swap, (long long)resources->memory_limit);
	return 0;
}

// Fills the rows from `from` on: where they are written.
static void place(struct settings *settings, size_t from, size_t hierarchy, const char *controller)
{
	for (size_t i = from; i < settings->count; i++) {
		settings->items[i].hierarchy = hierarchy;
		settings->items[i].controller = controller;
	}
}

static int plan_controller(struct cgroup *cgroup, const struct spec_resources *resources, size_t row, struct settings *settings,
			   struct err *err)
{
	int v1 = hierarchy_find(cgroup, controllers[row].v1_name), v2 = hierarchy_find(cgroup, controllers[row].v2_name);
	if (v1 >= 0 && cgroup->hierarchies[v1].v2)
		v1 = -1;
	bool use_v1 = v1 >= 0;
	size_t from = settings->count;
	(use_v1 ? controllers[row].v1 : controllers[row].v2)(settings, resources);
	if (settings->count == from)
		return 0;
	const char *name = use_v1 ? controllers[row].v1_name : controllers[row].v2_name;
	if (v1 < 0 && v2 < 0)
		return err_set(err, ENOTSUP, "set the %s: it takes the cgroup controller '%s', and %s", settings->items[from].what,
			       name, hierarchy_why_missing(cgroup, name));
	place(settings, from, (size_t)(use_v1 ? v1 : v2), name);
	return 0;
}

// "memory.high=1000": written as it is, after everything that COSO converts, since it wins.
static int plan_unified(struct cgroup *cgroup, const char *assignment, struct settings *settings, struct err *err)
{
	const char *equals = strchr(assignment, '='), *dot = strchr(assignment, '.');
	if (!equals || !dot || dot > equals || dot == assignment || memchr(assignment, '/', (size_t)(equals - assignment)))
		return err_set(err, EINVAL, "unified '%s': FILE=VALUE is needed, with a cgroup v2 file's name such as memory.high",
			       assignment);
	const char *file = arena_strndup(settings->arena, assignment, (size_t)(equals - assignment));
	const char *controller = arena_strndup(settings->arena, assignment, (size_t)(dot - assignment));
	if (str_eq(controller, "cgroup"))
		controller = "";
	int index = *controller ? hierarchy_find(cgroup, controller) : hierarchy_find_v2(cgroup);
	if (index >= 0 && !cgroup->hierarchies[index].v2)
		return err_set(err, ENOTSUP, "unified '%s': the controller '%s' is on cgroup v1 here", assignment, controller);
	if (index < 0)
		return err_set(err, ENOTSUP, "unified '%s': it takes the cgroup v2 controller '%s', and %s", assignment, controller,
			       *controller ? hierarchy_why_missing(cgroup, controller) : "cgroup v2 is not mounted");
	settings_add(settings, (struct setting){ .what = file, .file = file, .value = equals + 1, .check = SETTING_OPAQUE });
	place(settings, settings->count - 1, (size_t)index, controller);
	return 0;
}

int settings_plan(struct cgroup *cgroup, const struct spec_resources *resources, struct settings *out_settings, struct err *err)
{
	struct settings settings = { .arena = cgroup->arena };
	if (check(resources, err) < 0)
		return -1;
	for (size_t row = 0; row < CONTROLLERS; row++)
		if (plan_controller(cgroup, resources, row, &settings, err) < 0)
			return -1;
	for (size_t i = 0; i < resources->unified.count; i++)
		if (plan_unified(cgroup, resources->unified.items[i], &settings, err) < 0)
			return -1;
	*out_settings = settings;
	return 0;
}

static bool kept_bytes(const char *asked, const char *kept)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), largest = (uint64_t)INT64_MAX / page * page, want = 0, have = 0;
	bool unlimited = str_eq(asked, "max") || str_eq(asked, "-1") || num_u64("", asked, 0, UINT64_MAX, &want, NULL) < 0;
	if (str_eq(kept, "max"))
		return unlimited || want >= largest;
	if (num_u64("", kept, 0, UINT64_MAX, &have, NULL) < 0)
		return false;
	if (unlimited || want >= largest)
		return have >= largest;
	return have == want / page * page && (have > 0 || want == 0);
}

bool settings_kept(enum setting_check check_as, const char *asked, const char *kept)
{
	struct list want, have;
	switch (check_as) {
	case SETTING_TEXT:
		return str_eq(asked, kept);
	case SETTING_BYTES:
		return kept_bytes(asked, kept);
	case SETTING_WEIGHT:
		if (str_starts(kept, "default "))
			kept += strlen("default ");
		size_t length = strlen(asked);
		return strncmp(asked, kept, length) == 0 && (kept[length] == '\0' || kept[length] == '\n');
	case SETTING_LIST:
		return list_parse("", asked, &want, NULL) == 0 && list_parse("", kept, &have, NULL) == 0 && list_eq(&want, &have);
	case SETTING_OPAQUE:
		return true;
	}
	return false;
}

// Is there a file of this name? The folder is the kernel's: names don't come and go.
static bool has(struct arena *arena, const char *folder, const char *file)
{
	return faccessat(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), F_OK, 0) == 0;
}

int settings_apply(struct arena *arena, const struct setting *setting, const char *folder, struct err *err)
{
	const char *file = setting->file, *value = setting->value;
	struct err why;
	int result = file_put(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), value, &why);
	if (result < 0 && why.code == ENOENT && setting->other_file && has(arena, folder, setting->other_file)) {
		file = setting->other_file;
		value = setting->other_value;
		result = file_put(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), value, &why);
	}
	if (result < 0 && !has(arena, folder, file)) {
		if (setting->optional)
			return 0;
		return err_set(err, ENOTSUP, "set the %s to %s: this kernel has no '%s' (it takes %s)", setting->what, value, file,
			       setting->needs ? setting->needs : "a newer one");
	}
	if (result < 0)
		return err_set(err, why.code, "set the %s to %s: %s", setting->what, value, why.msg);
	if (setting->check == SETTING_OPAQUE)
		return 0;
	const char *path = arena_printf(arena, "%s/%s", folder, setting->read ? setting->read : file);
	char *kept = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, err);
	if (!kept)
		return err_wrap(err, "set the %s to %s", setting->what, value);
	str_clean(kept);
	if (settings_kept(setting->check, value, kept))
		return 0;
	return err_set(err, ERANGE, "set the %s to %s: the kernel keeps '%.200s' in '%s'", setting->what, value, kept, path);
}
