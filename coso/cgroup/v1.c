// SPDX-License-Identifier: GPL-2.0-or-later
// v1.c - limits in the files of cgroup v1
#include "coso/cgroup/v1.h"

#include "coso/cgroup/folder.h"
#include "shared/file.h"
#include "shared/str.h"

#include <fcntl.h>
#include <string.h>

static const char *number(struct settings *settings, int64_t value)
{
	return arena_printf(settings->arena, "%lld", (long long)value);
}

void v1_memory(struct settings *settings, const struct spec_resources *resources)
{
	// The limit comes first: memory and swap together may never be the smaller of the two, and start unlimited.
	if (resources->memory_limit)
		settings_add(settings, (struct setting){ .what = "memory limit",
							 .file = "memory.limit_in_bytes",
							 .value = number(settings, resources->memory_limit),
							 .check = SETTING_BYTES });
	if (resources->memory_swap)
		settings_add(settings, (struct setting){ .what = "limit of memory and swap",
							 .file = "memory.memsw.limit_in_bytes",
							 .value = number(settings, resources->memory_swap),
							 .check = SETTING_BYTES,
							 .optional = resources->memory_swap < 0,
							 .needs = "swap accounting, swapaccount=1 on its command line" });
	if (resources->memory_reservation)
		settings_add(settings, (struct setting){ .what = "memory reservation",
							 .file = "memory.soft_limit_in_bytes",
							 .value = number(settings, resources->memory_reservation),
							 .check = SETTING_BYTES });
}

void v1_cpu(struct settings *settings, const struct spec_resources *resources)
{
	uint64_t shares = resources->cpu_weight ? settings_shares_of_weight(resources->cpu_weight) : resources->cpu_shares;
	if (shares)
		settings_add(
			settings,
			(struct setting){ .what = "CPU shares", .file = "cpu.shares", .value = number(settings, (int64_t)shares) });
	if (resources->cpu_period)
		settings_add(settings, (struct setting){ .what = "CPU period",
							 .file = "cpu.cfs_period_us",
							 .value = number(settings, (int64_t)resources->cpu_period),
							 .needs = "CONFIG_CFS_BANDWIDTH" });
	if (resources->cpu_quota)
		settings_add(settings, (struct setting){ .what = "CPU quota",
							 .file = "cpu.cfs_quota_us",
							 .value = number(settings, resources->cpu_quota),
							 .needs = "CONFIG_CFS_BANDWIDTH" });
}

void v1_cpuset(struct settings *settings, const struct spec_resources *resources)
{
	if (resources->cpuset_cpus)
		settings_add(settings, (struct setting){ .what = "CPUs",
							 .file = "cpuset.cpus",
							 .value = resources->cpuset_cpus,
							 .check = SETTING_LIST });
	if (resources->cpuset_mems)
		settings_add(settings, (struct setting){ .what = "memory nodes",
							 .file = "cpuset.mems",
							 .value = resources->cpuset_mems,
							 .check = SETTING_LIST });
}

void v1_pids(struct settings *settings, const struct spec_resources *resources)
{
	if (resources->pids_limit)
		settings_add(
			settings,
			(struct setting){ .what = "limit of processes",
					  .file = "pids.max",
					  .value = resources->pids_limit < 0 ? "max" : number(settings, resources->pids_limit) });
}

void v1_io(struct settings *settings, const struct spec_resources *resources)
{
	if (!resources->io_weight)
		return;
	int64_t weight = (int64_t)(resources->io_weight + 5) / 10; // 1 to 10000 there, 10 (bfq: 1) to 1000 here
	const char *bfq = number(settings, weight ? weight : 1), *cfq = number(settings, weight < 10 ? 10 : weight);
	settings_add(settings, (struct setting){ .what = "I/O weight",
						 .file = "blkio.bfq.weight",
						 .value = bfq,
						 .other_file = "blkio.weight",
						 .other_value = cfq,
						 .check = SETTING_WEIGHT,
						 .needs = "the bfq I/O scheduler with CONFIG_BFQ_GROUP_IOSCHED" });
}

// A group whose set is empty takes that of the group above, which is filled first where it has none either.
static int inherit(struct arena *arena, const char *folder, const char *root, const char *file, struct err *err)
{
	const char *path = arena_printf(arena, "%s/%s", folder, file);
	char *value = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, err);
	if (!value)
		return -1;
	str_clean(value);
	const char *above = strlen(folder) > strlen(root) ? folder_above(arena, folder) : NULL;
	if (*value || !above)
		return 0;
	if (inherit(arena, above, root, file, err) < 0)
		return -1;
	value = file_read(arena, AT_FDCWD, arena_printf(arena, "%s/%s", above, file), FILE_SMALL, NULL, err);
	if (!value)
		return -1;
	str_clean(value);
	return file_put(AT_FDCWD, path, value, err);
}

int v1_cpuset_inherit(struct arena *arena, const struct cgroup_hierarchy *hierarchy, struct err *err)
{
	if (inherit(arena, hierarchy->folder, hierarchy->mount, "cpuset.cpus", err) < 0 ||
	    inherit(arena, hierarchy->folder, hierarchy->mount, "cpuset.mems", err) < 0)
		return err_wrap(err, "fill the cpuset group '%s'", hierarchy->folder);
	return 0;
}
