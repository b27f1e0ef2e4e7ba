// SPDX-License-Identifier: GPL-2.0-or-later
// settings.c - limits as a list of files to write, and applied
#include "coso/cgroup/settings.h"

#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/v1.h"
#include "coso/cgroup/v2.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <math.h>
#include <string.h>

// One row a controller: its names in both worlds, and who turns a spec into its files. NULL: it isn't there in that world.
static const struct {
	const char *v1_name, *v2_name;
	int (*v1)(struct settings *settings, const struct spec_resources *resources, struct err *err);
	int (*v2)(struct settings *settings, const struct spec_resources *resources, struct err *err);
} controllers[] = {
	{ "cpuset", "cpuset", v1_cpuset, v2_cpuset },
	{ "cpu", "cpu", v1_cpu, v2_cpu },
	{ "memory", "memory", v1_memory, v2_memory },
	{ "pids", "pids", v1_pids, v2_pids },
	{ "blkio", "io", v1_io, v2_io },
	{ "hugetlb", "hugetlb", v1_hugetlb, v2_hugetlb },
	{ "rdma", "rdma", v1_rdma, v1_rdma },
	{ "net_cls", NULL, v1_net_class, NULL },
	{ "net_prio", NULL, v1_net_priorities, NULL },
};

enum { CONTROLLERS = sizeof(controllers) / sizeof(*controllers), CONFLICTS = 16 };

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

uint64_t settings_io_weight(uint64_t blkio)
{
	return blkio < 10 ? 1 : 1 + (blkio - 10) * 9999 / 990;
}

uint64_t settings_blkio_weight(uint64_t io)
{
	return io < 10 ? 1 : (io + 5) / 10;
}

uint64_t settings_page_size(const char *text)
{
	const char *unit = text + strspn(text, "0123456789");
	uint64_t size = 0;
	if (!str_eq(unit, "KB") && !str_eq(unit, "MB") && !str_eq(unit, "GB"))
		return 0;
	return num_size("", text, &size, NULL) == 0 ? size : 0;
}

const char *settings_number(struct settings *settings, int64_t value)
{
	return arena_printf(settings->arena, "%lld", (long long)value);
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

// What becomes a part of a line, or of a file's name.
static bool is_word(const char *text)
{
	return text && *text && !text[strcspn(text, " \t\n/")];
}

static int check_names(const struct spec_resources *resources, struct err *err)
{
	for (size_t i = 0; i < resources->hugepage_count; i++)
		if (!is_word(resources->hugepages[i].size) || !settings_page_size(resources->hugepages[i].size))
			return err_set(err, EINVAL, "hugepageLimits: '%s' is no size of pages such as 2MB",
				       resources->hugepages[i].size);
	for (size_t i = 0; i < resources->net_priority_count; i++)
		if (!is_word(resources->net_priorities[i].interface))
			return err_set(err, EINVAL, "network.priorities: '%s' is no name of an interface",
				       resources->net_priorities[i].interface);
	for (size_t i = 0; i < resources->rdma_count; i++) {
		const struct spec_rdma *rdma = &resources->rdma[i];
		if (!is_word(rdma->device) || (rdma->handles < 0 && rdma->objects < 0))
			return err_set(err, EINVAL, "rdma '%s': hcaHandles or hcaObjects of a device is needed", rdma->device);
	}
	return 0;
}

// What no kernel takes, or takes in silence as something else.
static int check(const struct spec_resources *resources, struct err *err)
{
	if (check_unlimited("memory limit", resources->memory_limit, err) < 0 ||
	    check_unlimited("limit of memory and swap", resources->memory_swap, err) < 0 ||
	    check_unlimited("memory reservation", resources->memory_reservation, err) < 0 ||
	    check_unlimited("limit of processes", resources->pids_limit, err) < 0 ||
	    check_range("CPU weight", resources->cpu_weight, 1, 10000, err) < 0 ||
	    check_range("CPU period (µs)", resources->cpu_period, 1000, 1000000, err) < 0 ||
	    check_range("CPU quota (µs)", resources->cpu_quota < 0 ? 0 : (uint64_t)resources->cpu_quota, 1000, INT64_MAX, err) <
		    0 ||
	    check_range("I/O weight", resources->io_weight, 1, 10000, err) < 0 ||
	    check_range("blockIO.weight", resources->blkio_weight, 10, 1000, err) < 0 ||
	    check_range("memory.swappiness", (uint64_t)resources->memory_swappiness.value, 0, 100, err) < 0)
		return -1;
	if (resources->memory_swap > 0 && resources->memory_limit <= 0)
		return err_set(err, EINVAL, "limit of memory and swap %lld: unable to set swap limit without memory limit",
			       (long long)resources->memory_swap);
	if (resources->memory_swap > 0 && resources->memory_swap < resources->memory_limit)
		return err_set(err, EINVAL, "limit of memory and swap %lld: memory+swap limit should be >= memory limit (%lld)",
			       (long long)resources->memory_swap, (long long)resources->memory_limit);
	return check_names(resources, err);
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
	int v1 = hierarchy_find(cgroup, controllers[row].v1_name);
	int v2 = controllers[row].v2_name ? hierarchy_find(cgroup, controllers[row].v2_name) : -1;
	if (v1 >= 0 && cgroup->hierarchies[v1].v2)
		v1 = -1;
	bool use_v1 = v1 >= 0 || !controllers[row].v2;
	size_t from = settings->count;
	if ((use_v1 ? controllers[row].v1 : controllers[row].v2)(settings, resources, err) < 0)
		return -1;
	if (settings->count == from)
		return 0;
	const char *name = use_v1 ? controllers[row].v1_name : controllers[row].v2_name;
	if (v1 < 0 && v2 < 0)
		return err_set(err, ENOTSUP, "set the %s: it takes the cgroup%s controller '%s', and %s",
			       settings->items[from].what, controllers[row].v2 ? "" : " v1", name,
			       hierarchy_why_missing(cgroup, name));
	place(settings, from, (size_t)(use_v1 ? v1 : v2), name);
	return 0;
}

// "memory.high=1000": written as it is, line by line, after everything that COSO converts, since it wins.
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
	struct strv lines = str_split(settings->arena, equals + 1, '\n');
	size_t from = settings->count;
	for (size_t i = 0; i < lines.count; i++)
		if (*lines.items[i] || lines.count == 1)
			settings_add(
				settings,
				(struct setting){ .what = file, .file = file, .value = lines.items[i], .check = SETTING_OPAQUE });
	place(settings, from, (size_t)index, controller);
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

static const char *folder_of(const struct cgroup *cgroup, const struct setting *setting)
{
	return cgroup->hierarchies[setting->hierarchy].folder;
}

// Applies the settings of one controller. What conflicts with another value waits until that is set; with `stubborn` whatever fails.
static int apply_controller(const struct cgroup *cgroup, const struct settings *settings, size_t count, bool stubborn,
			    struct err *err)
{
	size_t waiting[CONFLICTS], left = 0;
	for (size_t i = 0; i < count; i++) {
		const struct setting *setting = &settings->items[i];
		struct err why = { 0 };
		if (setting_apply(settings->arena, setting, folder_of(cgroup, setting), &why) == 0)
			continue;
		if ((why.code != EINVAL && !stubborn) || left == CONFLICTS)
			return err_set(err, why.code, "%s", why.msg);
		waiting[left++] = i;
	}
	for (size_t before = SIZE_MAX; left && left < before;) {
		before = left;
		left = 0;
		for (size_t i = 0; i < before; i++) {
			const struct setting *setting = &settings->items[waiting[i]];
			if (setting_apply(settings->arena, setting, folder_of(cgroup, setting), err) < 0)
				waiting[left++] = waiting[i];
		}
	}
	return left ? -1 : 0;
}

static int apply(const struct cgroup *cgroup, const struct settings *settings, bool stubborn, struct err *err)
{
	int result = 0;
	for (size_t from = 0, end; from < settings->count && (result == 0 || stubborn); from = end) {
		const struct setting *first = &settings->items[from];
		for (end = from + 1; end < settings->count; end++)
			if (settings->items[end].hierarchy != first->hierarchy ||
			    !str_eq(settings->items[end].controller, first->controller))
				break;
		const struct settings part = { .arena = settings->arena, .items = &settings->items[from] };
		if (apply_controller(cgroup, &part, end - from, stubborn, err) < 0)
			result = -1;
	}
	return result;
}

int settings_apply(const struct cgroup *cgroup, const struct settings *settings, struct err *err)
{
	return apply(cgroup, settings, false, err);
}

void settings_remember(const struct cgroup *cgroup, const struct settings *settings, struct settings *out_old)
{
	struct settings old = { .arena = settings->arena };
	for (size_t i = settings->count; i > 0; i--) {
		const struct setting *setting = &settings->items[i - 1];
		struct setting back;
		if (setting_undo(settings->arena, setting, folder_of(cgroup, setting), &back))
			settings_add(&old, back);
	}
	*out_old = old;
}

void settings_restore(const struct cgroup *cgroup, const struct settings *old)
{
	apply(cgroup, old, true, NULL);
}
