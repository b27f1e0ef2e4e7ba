// SPDX-License-Identifier: GPL-2.0-or-later
// v1.c - limits in the files of cgroup v1
#include "coso/cgroup/v1.h"

#include "coso/cgroup/folder.h"
#include "shared/file.h"
#include "shared/str.h"

#include <fcntl.h>
#include <string.h>

// Kernel memory has no limit of its own any more (since Linux 5.16 writing one is without effect): it counts in that of all memory.
static void kernel_memory(struct settings *settings, const struct spec_resources *r)
{
	if (r->memory_kernel < 0 || (r->memory_kernel > 0 && r->memory_limit > 0 && r->memory_kernel >= r->memory_limit))
		settings_add(settings, (struct setting){ .what = "memory.kernel",
							 .file = "memory.kmem.limit_in_bytes",
							 .value = settings_number(settings, r->memory_kernel),
							 .check = SETTING_OPAQUE,
							 .optional = true });
	else if (r->memory_kernel)
		settings_add(settings, (struct setting){ .what = "memory.kernel",
							 .file = "memory.kmem.limit_in_bytes",
							 .value = settings_number(settings, r->memory_kernel),
							 .check = SETTING_BYTES,
							 .needs = "a kernel before 5.16" });
	if (r->memory_kernel_tcp)
		settings_add(settings, (struct setting){ .what = "memory.kernelTCP",
							 .file = "memory.kmem.tcp.limit_in_bytes",
							 .value = settings_number(settings, r->memory_kernel_tcp),
							 .check = SETTING_BYTES,
							 .optional = r->memory_kernel_tcp < 0 });
}

int v1_memory(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	// The limit comes first: memory and swap together may never be the smaller of the two, and start unlimited.
	if (r->memory_limit)
		settings_add(settings, (struct setting){ .what = "memory limit",
							 .file = "memory.limit_in_bytes",
							 .value = settings_number(settings, r->memory_limit),
							 .check = SETTING_BYTES });
	int64_t swap = r->memory_limit < 0 && !r->memory_swap ? -1 : r->memory_swap;
	if (swap)
		settings_add(settings, (struct setting){ .what = "limit of memory and swap",
							 .file = "memory.memsw.limit_in_bytes",
							 .value = settings_number(settings, swap),
							 .check = SETTING_BYTES,
							 .optional = swap < 0,
							 .needs = "swap accounting, swapaccount=1 on its command line" });
	if (r->memory_reservation)
		settings_add(settings, (struct setting){ .what = "memory reservation",
							 .file = "memory.soft_limit_in_bytes",
							 .value = settings_number(settings, r->memory_reservation),
							 .check = SETTING_BYTES });
	kernel_memory(settings, r);
	if (r->memory_swappiness.given)
		settings_add(settings, (struct setting){ .what = "memory.swappiness",
							 .file = "memory.swappiness",
							 .value = settings_number(settings, r->memory_swappiness.value) });
	if (r->memory_no_oom_killer)
		settings_add(settings, (struct setting){ .what = "memory.disableOOMKiller",
							 .file = "memory.oom_control",
							 .value = "1",
							 .shown = "oom_kill_disable 1",
							 .check = SETTING_LINE });
	return 0;
}

static void real_time(struct settings *settings, const struct spec_resources *r)
{
	if (r->cpu_rt_period)
		settings_add(settings, (struct setting){ .what = "cpu.realtimePeriod",
							 .file = "cpu.rt_period_us",
							 .value = settings_number(settings, (int64_t)r->cpu_rt_period),
							 .needs = "CONFIG_RT_GROUP_SCHED" });
	if (r->cpu_rt_runtime)
		settings_add(settings, (struct setting){ .what = "cpu.realtimeRuntime",
							 .file = "cpu.rt_runtime_us",
							 .value = settings_number(settings, r->cpu_rt_runtime),
							 .needs = "CONFIG_RT_GROUP_SCHED" });
}

int v1_cpu(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	enum { LEAST_SHARES = 2, MOST_SHARES = 262144 };
	(void)err;
	uint64_t shares = r->cpu_weight ? settings_shares_of_weight(r->cpu_weight) : r->cpu_shares;
	bool idle = r->cpu_idle.given && r->cpu_idle.value; // such a group has no shares
	if (shares && !idle)
		settings_add(settings,
			     (struct setting){ .what = "CPU shares",
					       .file = "cpu.shares",
					       .value = settings_number(settings, shares < LEAST_SHARES ? LEAST_SHARES :
										  shares > MOST_SHARES  ? MOST_SHARES :
													  (int64_t)shares) });
	if (r->cpu_period)
		settings_add(settings, (struct setting){ .what = "CPU period",
							 .file = "cpu.cfs_period_us",
							 .value = settings_number(settings, (int64_t)r->cpu_period),
							 .needs = "CONFIG_CFS_BANDWIDTH" });
	if (r->cpu_quota)
		settings_add(settings, (struct setting){ .what = "CPU quota",
							 .file = "cpu.cfs_quota_us",
							 .value = settings_number(settings, r->cpu_quota < 0 ? -1 : r->cpu_quota),
							 .needs = "CONFIG_CFS_BANDWIDTH" });
	if (r->cpu_burst.given)
		settings_add(settings, (struct setting){ .what = "cpu.burst",
							 .file = "cpu.cfs_burst_us",
							 .value = settings_number(settings, r->cpu_burst.value),
							 .optional = r->cpu_burst.value == 0,
							 .needs = "Linux 5.14" });
	real_time(settings, r);
	if (r->cpu_idle.given)
		settings_add(settings, (struct setting){ .what = "cpu.idle",
							 .file = "cpu.idle",
							 .value = settings_number(settings, r->cpu_idle.value),
							 .optional = !idle,
							 .needs = "Linux 5.15" });
	return 0;
}

int v1_cpuset(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	if (r->cpuset_cpus)
		settings_add(
			settings,
			(struct setting){ .what = "CPUs", .file = "cpuset.cpus", .value = r->cpuset_cpus, .check = SETTING_LIST });
	if (r->cpuset_mems)
		settings_add(settings, (struct setting){ .what = "memory nodes",
							 .file = "cpuset.mems",
							 .value = r->cpuset_mems,
							 .check = SETTING_LIST });
	return 0;
}

int v1_pids(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	if (r->pids_limit || r->pids_none)
		settings_add(settings,
			     (struct setting){ .what = "limit of processes",
					       .file = "pids.max",
					       .value = r->pids_limit < 0 ? "max" : settings_number(settings, r->pids_limit) });
	return 0;
}

static const char *device(struct settings *settings, const struct spec_io_rate *rate, uint64_t value)
{
	return arena_printf(settings->arena, "%lld:%lld %llu", (long long)rate->major, (long long)rate->minor,
			    (unsigned long long)value);
}

static void weights(struct settings *settings, const struct spec_resources *r)
{
	static const char bfq[] = "the bfq I/O scheduler with CONFIG_BFQ_GROUP_IOSCHED",
			  cfq[] = "the cfq I/O scheduler, before 5.0";
	uint64_t weight = r->io_weight ? settings_blkio_weight(r->io_weight) : r->blkio_weight;
	if (weight)
		settings_add(settings,
			     (struct setting){ .what = "I/O weight",
					       .file = "blkio.bfq.weight",
					       .value = settings_number(settings, (int64_t)weight),
					       .other_file = "blkio.weight", // takes 10 or more
					       .other_value = settings_number(settings, weight < 10 ? 10 : (int64_t)weight),
					       .check = SETTING_WEIGHT,
					       .needs = bfq });
	if (r->blkio_leaf_weight)
		settings_add(settings, (struct setting){ .what = "blockIO.leafWeight",
							 .file = "blkio.leaf_weight",
							 .value = settings_number(settings, (int64_t)r->blkio_leaf_weight),
							 .needs = cfq });
	for (size_t i = 0; i < r->blkio_weights.count; i++) {
		const struct spec_io_rate *rate = &r->blkio_weights.items[i];
		settings_add(settings, (struct setting){ .what = "blockIO.weightDevice",
							 .file = "blkio.bfq.weight_device",
							 .value = device(settings, rate, rate->value),
							 .other_file = "blkio.weight_device",
							 .other_value = device(settings, rate, rate->value),
							 .absent = device(settings, rate, 0),
							 .check = SETTING_LINE,
							 .needs = bfq });
	}
	for (size_t i = 0; i < r->blkio_leaf_weights.count; i++) {
		const struct spec_io_rate *rate = &r->blkio_leaf_weights.items[i];
		settings_add(settings, (struct setting){ .what = "blockIO.weightDevice (leafWeight)",
							 .file = "blkio.leaf_weight_device",
							 .value = device(settings, rate, rate->value),
							 .absent = device(settings, rate, 0),
							 .check = SETTING_LINE,
							 .needs = cfq });
	}
}

static void throttle(struct settings *settings, const struct spec_io_rates *rates, const char *what, const char *file)
{
	for (size_t i = 0; i < rates->count; i++) {
		const struct spec_io_rate *rate = &rates->items[i];
		settings_add(settings, (struct setting){ .what = what,
							 .file = file,
							 .value = device(settings, rate, rate->value),
							 .absent = device(settings, rate, 0),
							 .check = rate->value ? SETTING_LINE : SETTING_OPAQUE, // 0: no limit
							 .needs = "CONFIG_BLK_DEV_THROTTLING" });
	}
}

int v1_io(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	weights(settings, r);
	throttle(settings, &r->read_bps, "blockIO.throttleReadBpsDevice", "blkio.throttle.read_bps_device");
	throttle(settings, &r->write_bps, "blockIO.throttleWriteBpsDevice", "blkio.throttle.write_bps_device");
	throttle(settings, &r->read_iops, "blockIO.throttleReadIOPSDevice", "blkio.throttle.read_iops_device");
	throttle(settings, &r->write_iops, "blockIO.throttleWriteIOPSDevice", "blkio.throttle.write_iops_device");
	return 0;
}

int v1_hugetlb(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->hugepage_count; i++) {
		const struct spec_hugepages *pages = &r->hugepages[i];
		// Reservations are refused by mmap, faults end in SIGBUS: both are limited where the kernel has both (Linux 5.7).
		for (int reserved = 0; reserved < 2; reserved++)
			settings_add(
				settings,
				(struct setting){ .what = "hugepageLimits",
						  .file = arena_printf(settings->arena, "hugetlb.%s.%slimit_in_bytes", pages->size,
								       reserved ? "rsvd." : ""),
						  .value = arena_printf(settings->arena, "%llu", (unsigned long long)pages->limit),
						  .unit = settings_page_size(pages->size),
						  .optional = reserved,
						  .check = SETTING_BYTES,
						  .needs = "huge pages of that size" });
	}
	return 0;
}

int v1_net_class(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	if (r->net_class)
		settings_add(settings, (struct setting){ .what = "network.classID",
							 .file = "net_cls.classid",
							 .value = settings_number(settings, r->net_class) });
	return 0;
}

int v1_net_priorities(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->net_priority_count; i++)
		settings_add(settings,
			     (struct setting){ .what = "network.priorities",
					       .file = "net_prio.ifpriomap",
					       .value = arena_printf(settings->arena, "%s %u", r->net_priorities[i].interface,
								     r->net_priorities[i].priority),
					       .check = SETTING_LINE,
					       .needs = "an interface of that name" });
	return 0;
}

int v1_rdma(struct settings *settings, const struct spec_resources *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < r->rdma_count; i++) {
		const struct spec_rdma *rdma = &r->rdma[i];
		const char *value = rdma->device;
		if (rdma->handles >= 0)
			value = arena_printf(settings->arena, "%s hca_handle=%lld", value, (long long)rdma->handles);
		if (rdma->objects >= 0)
			value = arena_printf(settings->arena, "%s hca_object=%lld", value, (long long)rdma->objects);
		settings_add(settings, (struct setting){ .what = "rdma",
							 .file = "rdma.max",
							 .value = value,
							 .check = SETTING_LINE,
							 .absent = arena_printf(settings->arena, "%s hca_handle=max hca_object=max",
										rdma->device) });
	}
	return 0;
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
