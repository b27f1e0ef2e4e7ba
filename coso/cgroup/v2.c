// SPDX-License-Identifier: GPL-2.0-or-later
// v2.c - limits in the files of cgroup v2, and handing controllers down
#include "coso/cgroup/v2.h"

#include "shared/file.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { DEFAULT_PERIOD = 100000 }; // µs

static const char *number(struct settings *settings, int64_t value)
{
	return value < 0 ? "max" : settings_number(settings, value);
}

// What v1 can do and v2 can't. Where a value says what holds anyway it is no error.
static int lacks(const char *what, int64_t value, struct err *err)
{
	return err_set(err, ENOTSUP, "set %s to %lld: cgroup v2 has nothing like it", what, (long long)value);
}

static bool is_host_swappiness(int64_t value)
{
	own_arena struct arena arena = { 0 };
	char *text = file_read(&arena, AT_FDCWD, "/proc/sys/vm/swappiness", FILE_SMALL, NULL, NULL);
	int64_t host = -1;
	if (text)
		str_clean(text);
	return text && num_i64("", text, 0, INT64_MAX, &host, NULL) == 0 && host == value;
}

// Kernel and socket memory count in the memory limit: a limit for them that isn't below it is kept with it.
static bool holds(int64_t limit, const struct spec_resources *r)
{
	return limit <= 0 || (r->memory_limit > 0 && limit >= r->memory_limit);
}

int v2_memory(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	if (!holds(r->memory_kernel, r))
		return lacks("memory.kernel", r->memory_kernel, err);
	if (!holds(r->memory_kernel_tcp, r))
		return lacks("memory.kernelTCP", r->memory_kernel_tcp, err);
	if (r->memory_swappiness.given && !is_host_swappiness(r->memory_swappiness.value))
		return lacks("memory.swappiness", r->memory_swappiness.value, err);
	if (r->memory_no_oom_killer)
		return lacks("memory.disableOOMKiller", 1, err);
	if (r->memory_limit)
		settings_add(settings, (struct setting){ .what = "memory limit",
							 .file = "memory.max",
							 .value = number(settings, r->memory_limit),
							 .check = SETTING_BYTES });
	bool unlimited = r->memory_swap < 0 || (r->memory_limit < 0 && !r->memory_swap);
	int64_t swap = unlimited ? -1 : r->memory_swap - r->memory_limit;
	if (r->memory_swap || unlimited)
		settings_add(settings, (struct setting){ .what = "swap limit",
							 .file = "memory.swap.max",
							 .value = number(settings, swap),
							 .check = SETTING_BYTES,
							 .optional = swap < 0,
							 .needs = "swap accounting, swapaccount=1 on its command line" });
	if (r->memory_reservation)
		settings_add(settings, (struct setting){ .what = "memory reservation",
							 .file = "memory.low",
							 .value = number(settings, r->memory_reservation),
							 .check = SETTING_BYTES });
	return 0;
}

int v2_cpu(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	if (r->cpu_rt_runtime)
		return lacks("cpu.realtimeRuntime", r->cpu_rt_runtime, err);
	if (r->cpu_rt_period)
		return lacks("cpu.realtimePeriod", (int64_t)r->cpu_rt_period, err);
	uint64_t weight = r->cpu_weight ? r->cpu_weight : settings_weight_of_shares(r->cpu_shares);
	bool idle = r->cpu_idle.given && r->cpu_idle.value; // such a group has no weight
	if (weight && !idle)
		settings_add(
			settings,
			(struct setting){ .what = "CPU weight", .file = "cpu.weight", .value = number(settings, (int64_t)weight) });
	const char *quota = r->cpu_quota ? number(settings, r->cpu_quota) : "max";
	unsigned long long period = r->cpu_period ? r->cpu_period : DEFAULT_PERIOD;
	if (r->cpu_quota || r->cpu_period)
		settings_add(settings, (struct setting){ .what = "CPU quota",
							 .file = "cpu.max",
							 .needs = "CONFIG_CFS_BANDWIDTH",
							 .value = arena_printf(settings->arena, "%s %llu", quota, period) });
	if (r->cpu_burst.given)
		settings_add(settings, (struct setting){ .what = "cpu.burst",
							 .file = "cpu.max.burst",
							 .value = number(settings, r->cpu_burst.value),
							 .optional = r->cpu_burst.value == 0,
							 .needs = "Linux 5.14" });
	if (r->cpu_idle.given)
		settings_add(settings, (struct setting){ .what = "cpu.idle",
							 .file = "cpu.idle",
							 .value = number(settings, r->cpu_idle.value),
							 .optional = !idle,
							 .needs = "Linux 5.15" });
	return 0;
}

int v2_cpuset(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	// A set that isn't there is kept but not followed: what is effective must be what was asked for.
	if (r->cpuset_cpus)
		settings_add(settings, (struct setting){ .what = "CPUs",
							 .file = "cpuset.cpus",
							 .check = SETTING_LIST,
							 .value = r->cpuset_cpus,
							 .read = "cpuset.cpus.effective" });
	if (r->cpuset_mems)
		settings_add(settings, (struct setting){ .what = "memory nodes",
							 .file = "cpuset.mems",
							 .check = SETTING_LIST,
							 .value = r->cpuset_mems,
							 .read = "cpuset.mems.effective" });
	return 0;
}

int v2_pids(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	if (r->pids_limit || r->pids_none)
		settings_add(settings, (struct setting){ .what = "limit of processes",
							 .file = "pids.max",
							 .value = number(settings, r->pids_limit) });
	return 0;
}

static const char *device(struct settings *settings, const struct spec_io_rate *rate, const char *key, uint64_t value)
{
	return arena_printf(settings->arena, "%lld:%lld %s%llu", (long long)rate->major, (long long)rate->minor, key,
			    (unsigned long long)value);
}

// COSO's own weight is on the scale of io.weight, OCI's on that of bfq.
static void weights(struct settings *settings, const struct spec_resources *r)
{
	static const char needs[] = "CONFIG_BLK_CGROUP_IOCOST, or the bfq I/O scheduler";
	if (r->io_weight)
		settings_add(settings,
			     (struct setting){ .what = "I/O weight",
					       .file = "io.weight",
					       .value = number(settings, (int64_t)r->io_weight),
					       .other_file = "io.bfq.weight",
					       .other_value = number(settings, (int64_t)settings_blkio_weight(r->io_weight)),
					       .check = SETTING_WEIGHT,
					       .needs = needs });
	else if (r->blkio_weight)
		settings_add(settings,
			     (struct setting){ .what = "I/O weight",
					       .file = "io.bfq.weight",
					       .value = number(settings, (int64_t)r->blkio_weight),
					       .other_file = "io.weight",
					       .other_value = number(settings, (int64_t)settings_io_weight(r->blkio_weight)),
					       .check = SETTING_WEIGHT,
					       .needs = needs });
	for (size_t i = 0; i < r->blkio_weights.count; i++) {
		const struct spec_io_rate *rate = &r->blkio_weights.items[i];
		settings_add(settings, (struct setting){ .what = "blockIO.weightDevice",
							 .file = "io.bfq.weight",
							 .value = device(settings, rate, "", rate->value),
							 .other_file = "io.weight",
							 .other_value = device(settings, rate, "", settings_io_weight(rate->value)),
							 .absent = arena_printf(settings->arena, "%lld:%lld default",
										(long long)rate->major, (long long)rate->minor),
							 .check = SETTING_LINE,
							 .needs = needs });
	}
}

static void throttle(struct settings *settings, const struct spec_io_rates *rates, const char *what, const char *key)
{
	for (size_t i = 0; i < rates->count; i++) {
		const struct spec_io_rate *rate = &rates->items[i];
		const char *none =
			arena_printf(settings->arena, "%lld:%lld %smax", (long long)rate->major, (long long)rate->minor, key);
		settings_add(settings, (struct setting){ .what = what,
							 .file = "io.max",
							 .value = rate->value ? device(settings, rate, key, rate->value) : none,
							 .absent = none,
							 .check = rate->value ? SETTING_LINE : SETTING_OPAQUE, // 0: no limit
							 .needs = "CONFIG_BLK_DEV_THROTTLING" });
	}
}

int v2_io(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	if (r->blkio_leaf_weight)
		return lacks("blockIO.leafWeight", (int64_t)r->blkio_leaf_weight, err);
	if (r->blkio_leaf_weights.count)
		return lacks("blockIO.weightDevice's leafWeight", (int64_t)r->blkio_leaf_weights.items[0].value, err);
	weights(settings, r);
	throttle(settings, &r->read_bps, "blockIO.throttleReadBpsDevice", "rbps=");
	throttle(settings, &r->write_bps, "blockIO.throttleWriteBpsDevice", "wbps=");
	throttle(settings, &r->read_iops, "blockIO.throttleReadIOPSDevice", "riops=");
	throttle(settings, &r->write_iops, "blockIO.throttleWriteIOPSDevice", "wiops=");
	return 0;
}

int v2_hugetlb(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->hugepage_count; i++) {
		const struct spec_hugepages *pages = &r->hugepages[i];
		// Reservations are refused by mmap, faults end in SIGBUS: both are limited where the kernel has both (Linux 5.7).
		for (int reserved = 0; reserved < 2; reserved++)
			settings_add(settings, (struct setting){ .what = "hugepageLimits",
								 .file = arena_printf(settings->arena, "hugetlb.%s.%smax",
										      pages->size, reserved ? "rsvd." : ""),
								 .value = arena_printf(settings->arena, "%llu",
										       (unsigned long long)pages->limit),
								 .unit = settings_page_size(pages->size),
								 .optional = reserved,
								 .check = SETTING_BYTES,
								 .needs = "huge pages of that size" });
	}
	return 0;
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
