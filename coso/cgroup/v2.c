// SPDX-License-Identifier: GPL-2.0-or-later
// v2.c - limits in the files of cgroup v2, and handing controllers down
#include "coso/cgroup/v2.h"

#include "shared/file.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { DEFAULT_PERIOD = 100000 }; // µs

static const char *number(struct settings *settings, int64_t value)
{
	return value < 0 ? "max" : arena_printf(settings->arena, "%lld", (long long)value);
}

void v2_memory(struct settings *settings, const struct spec_resources *resources)
{
	if (resources->memory_limit)
		settings_add(settings, (struct setting){ .what = "memory limit",
							 .file = "memory.max",
							 .value = number(settings, resources->memory_limit),
							 .check = SETTING_BYTES });
	int64_t swap = resources->memory_swap < 0 ? -1 : resources->memory_swap - resources->memory_limit;
	if (resources->memory_swap)
		settings_add(settings, (struct setting){ .what = "swap limit",
							 .file = "memory.swap.max",
							 .value = number(settings, swap),
							 .check = SETTING_BYTES,
							 .optional = swap < 0,
							 .needs = "swap accounting, swapaccount=1 on its command line" });
	if (resources->memory_reservation)
		settings_add(settings, (struct setting){ .what = "memory reservation",
							 .file = "memory.low",
							 .value = number(settings, resources->memory_reservation),
							 .check = SETTING_BYTES });
}

void v2_cpu(struct settings *settings, const struct spec_resources *resources)
{
	uint64_t weight = resources->cpu_weight ? resources->cpu_weight : settings_weight_of_shares(resources->cpu_shares);
	if (weight)
		settings_add(
			settings,
			(struct setting){ .what = "CPU weight", .file = "cpu.weight", .value = number(settings, (int64_t)weight) });
	if (!resources->cpu_quota && !resources->cpu_period)
		return;
	const char *quota = resources->cpu_quota ? number(settings, resources->cpu_quota) : "max";
	unsigned long long period = resources->cpu_period ? resources->cpu_period : DEFAULT_PERIOD;
	settings_add(settings, (struct setting){ .what = "CPU quota",
						 .file = "cpu.max",
						 .needs = "CONFIG_CFS_BANDWIDTH",
						 .value = arena_printf(settings->arena, "%s %llu", quota, period) });
}

void v2_cpuset(struct settings *settings, const struct spec_resources *resources)
{
	// A set that isn't there is kept but not followed: what is effective must be what was asked for.
	if (resources->cpuset_cpus)
		settings_add(settings, (struct setting){ .what = "CPUs",
							 .file = "cpuset.cpus",
							 .check = SETTING_LIST,
							 .value = resources->cpuset_cpus,
							 .read = "cpuset.cpus.effective" });
	if (resources->cpuset_mems)
		settings_add(settings, (struct setting){ .what = "memory nodes",
							 .file = "cpuset.mems",
							 .check = SETTING_LIST,
							 .value = resources->cpuset_mems,
							 .read = "cpuset.mems.effective" });
}

void v2_pids(struct settings *settings, const struct spec_resources *resources)
{
	if (resources->pids_limit)
		settings_add(settings, (struct setting){ .what = "limit of processes",
							 .file = "pids.max",
							 .value = number(settings, resources->pids_limit) });
}

void v2_io(struct settings *settings, const struct spec_resources *resources)
{
	if (!resources->io_weight)
		return;
	int64_t bfq = (int64_t)(resources->io_weight + 5) / 10; // 1 to 1000 there
	settings_add(settings, (struct setting){ .what = "I/O weight",
						 .file = "io.weight",
						 .value = number(settings, (int64_t)resources->io_weight),
						 .other_file = "io.bfq.weight",
						 .other_value = number(settings, bfq ? bfq : 1),
						 .check = SETTING_WEIGHT,
						 .needs = "CONFIG_BLK_CGROUP_IOCOST, or the bfq I/O scheduler" });
}

int v2_enable(struct arena *arena, const char *folder, const struct strv *controllers, struct err *err)
{
	const char *path = arena_printf(arena, "%s/cgroup.subtree_control", folder), *missing = "";
	char *text = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, err);
	if (!text)
		return err_wrap(err, "enable controllers");
	str_clean(text);
	struct strv enabled = str_split(arena, text, ' ');
	for (size_t i = 0; i < controllers->count; i++) {
		bool found = false;
		for (size_t j = 0; j < enabled.count && !found; j++)
			found = str_eq(enabled.items[j], controllers->items[i]);
		if (!found)
			missing = arena_printf(arena, "%s%s+%s", missing, *missing ? " " : "", controllers->items[i]);
	}
	struct err why;
	if (!*missing || file_put(AT_FDCWD, path, missing, &why) == 0)
		return 0;
	err_set(err, why.code, "enable controllers: %s", why.msg);
	if (why.code == EBUSY)
		return err_hint(
			err,
			"the group has processes of its own, and then can't hand controllers down; move them to a group below it");
	if (why.code == EOPNOTSUPP)
		return err_hint(err, "the group is threaded");
	return -1;
}

// All that there is, one by one where they can't be had together (a controller may be busy, or the group threaded).
static void enable_all(struct arena *arena, const char *folder)
{
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "%s/cgroup.controllers", folder), FILE_SMALL, NULL, NULL);
	if (!text)
		return;
	str_clean(text);
	struct strv names = str_split(arena, text, ' ');
	if (!*text || v2_enable(arena, folder, &names, NULL) == 0)
		return;
	for (size_t i = 0; i < names.count; i++)
		v2_enable(arena, folder, &(struct strv){ .items = &names.items[i], .count = 1 }, NULL);
}

void v2_hold(struct arena *arena, const char *folder)
{
	const char *path = arena_printf(arena, "%s/cgroup.subtree_control", folder), *all = "";
	char *text = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
	if (!text)
		return;
	str_clean(text);
	struct strv names = str_split(arena, text, ' ');
	for (size_t i = 0; *text && i < names.count; i++)
		all = arena_printf(arena, "%s%s-%s", all, i ? " " : "", names.items[i]);
	if (*all)
		file_put(AT_FDCWD, path, all, NULL);
}

int v2_hand_down(struct arena *arena, const struct cgroup_hierarchy *hierarchy, const struct strv *needed, bool all,
		 struct err *err)
{
	size_t top = strlen(hierarchy->top);
	bool below = strncmp(hierarchy->folder, hierarchy->top, top) == 0 && hierarchy->folder[top] == '/';
	size_t length = below ? top : strlen(hierarchy->mount);
	for (const char *folder = hierarchy->folder; folder[length];) {
		const char *above = arena_strndup(arena, folder, length);
		if (all)
			enable_all(arena, above);
		if (needed->count && v2_enable(arena, above, needed, err) < 0)
			return -1;
		length += 1 + strcspn(folder + length + 1, "/");
	}
	return 0;
}
