// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_update_test.c - limits of a real group are changed: only those given, in any order, or none at all; takes root
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/settings.h"
#include "shared/str.h"
#include "tests/unit/coso/cgroup_host.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static const struct cgroup_name by_path = { .id = "one", .path = "/a/one" }, by_id = { .id = "one" };

#define UPDATE(...) cgroup_update(&host.cgroup, &(struct spec_resources){ __VA_ARGS__ }, NULL, &host.err)

static bool on_v1(struct host *host, const char *controller)
{
	int index = hierarchy_find(&host->cgroup, controller);
	return index >= 0 && !host->cgroup.hierarchies[index].v2;
}

static const char *value(struct host *host, const char *controller, const char *v1, const char *v2)
{
	return host_read(host, controller, on_v1(host, controller) ? v1 : v2);
}

// Limit, and that of memory and swap (v2: of swap), in MiB; -1: unlimited.
static void check_memory(struct host *host, int64_t limit, int64_t swap)
{
	const struct setting bytes = { .check = SETTING_BYTES };
	const char *want = limit < 0 ? "max" : arena_printf(&host->arena, "%lld", (long long)limit * MIB);
	CU_ASSERT_TRUE(setting_kept(&bytes, want, value(host, "memory", "memory.limit_in_bytes", "memory.max")));
	const char *kept = value(host, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
	int64_t in_file = swap < 0 ? -1 : on_v1(host, "memory") ? swap : swap - limit;
	want = in_file < 0 ? "max" : arena_printf(&host->arena, "%lld", (long long)in_file * MIB);
	CU_ASSERT_TRUE(!*kept || setting_kept(&bytes, want, kept)); // no swap accounting
}

TEST(cgroup_update, memory_and_swap_in_every_order)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &(struct spec_resources){ .memory_limit = 32 * MIB }, &host.err), 0);
	bool swap = *value(&host, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
	static const int64_t steps[][2] = { { 32, 64 }, { 128, 256 }, { 16, 16 }, { 200, 200 }, { 200, 300 },
					    { 8, 9 },   { -1, -1 },   { 64, 64 }, { 300, -1 },  { 20, 40 } };
	for (size_t i = 0; swap && i < sizeof(steps) / sizeof(*steps); i++) {
		int64_t limit = steps[i][0], both = steps[i][1];
		CU_ASSERT_EQUAL(UPDATE(.memory_limit = limit < 0 ? -1 : limit * MIB, .memory_swap = both < 0 ? -1 : both * MIB), 0);
		check_memory(&host, limit, both);
	}
	if (swap) {
		CU_ASSERT_EQUAL(UPDATE(.memory_swap = 50 * MIB), 0); // the limit stays
		check_memory(&host, 20, 50);
		CU_ASSERT_EQUAL(UPDATE(.memory_swap = 10 * MIB), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "memory+swap limit should be >= memory limit"));
		CU_ASSERT_EQUAL(UPDATE(.memory_limit = -1), 0); // and swap with it
		check_memory(&host, -1, -1);
		CU_ASSERT_EQUAL(UPDATE(.memory_swap = 50 * MIB), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "unable to set swap limit without memory limit"));
	} else {
		printf("skipped: this kernel has no swap accounting\n");
	}
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

// Quota and period, each alone; -1, and what the kernel refuses.
TEST(cgroup_update, what_is_not_given_stays)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources first = { .pids_limit = 50, .cpu_shares = 512 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &first, &host.err), 0);
	static const struct {
		int64_t quota;
		uint64_t period;
		const char *v2, *v1_quota, *v1_period;
	} steps[] = { { 50000, 0, "50000 100000", "50000", "100000" },
		      { 0, 200000, "50000 200000", "50000", "200000" },
		      { 70000, 0, "70000 200000", "70000", "200000" },
		      { -1, 0, "max 200000", "-1", "200000" },
		      { 0, 50000, "max 50000", "-1", "50000" } };
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		CU_ASSERT_EQUAL(UPDATE(.cpu_quota = steps[i].quota, .cpu_period = steps[i].period), 0);
		CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.cfs_quota_us", "cpu.max"),
				       on_v1(&host, "cpu") ? steps[i].v1_quota : steps[i].v2);
		if (on_v1(&host, "cpu"))
			CU_ASSERT_STRING_EQUAL(host_read(&host, "cpu", "cpu.cfs_period_us"), steps[i].v1_period);
	}
	CU_ASSERT_STRING_EQUAL(value(&host, "pids", "pids.max", "pids.max"), "50");
	CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.shares", "cpu.weight"), on_v1(&host, "cpu") ? "512" : "59");
	CU_ASSERT_EQUAL(UPDATE(.pids_limit = 60, .devices = (struct spec_device_rule[]){ { false, 'a', -1, -1, "rwm" } },
			       .device_count = 1),
			0);
	CU_ASSERT_STRING_EQUAL(value(&host, "pids", "pids.max", "pids.max"), "60");
	if (on_v1(&host, "devices"))
		CU_ASSERT_STRING_EQUAL(host_read(&host, "devices", "devices.list"), "a *:* rwm");
	CU_ASSERT_EQUAL(UPDATE(.pids_limit = 0), 0);
	CU_ASSERT_STRING_EQUAL(value(&host, "pids", "pids.max", "pids.max"), "60");
	CU_ASSERT_EQUAL(UPDATE(.pids_none = true), 0);
	CU_ASSERT_STRING_EQUAL(value(&host, "pids", "pids.max", "pids.max"), "0");
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

// The period that the old quota doesn't fit into, the burst that doesn't fit into the new quota, the weight of an idle group.
TEST(cgroup_update, conflicting_values_wait_for_each_other)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources first = { .cpu_quota = 100000, .cpu_period = 100000 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &first, &host.err), 0);
	if (*value(&host, "cpu", "cpu.cfs_burst_us", "cpu.max.burst")) {
		CU_ASSERT_EQUAL(UPDATE(.cpu_burst = { true, 90000 }), 0);
		CU_ASSERT_EQUAL(UPDATE(.cpu_quota = 50000, .cpu_burst = { true, 20000 }), 0);   // burst first
		CU_ASSERT_EQUAL(UPDATE(.cpu_quota = 200000, .cpu_burst = { true, 150000 }), 0); // quota first
		CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.cfs_burst_us", "cpu.max.burst"), "150000");
		CU_ASSERT_EQUAL(UPDATE(.cpu_burst = { true, 900000 }), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "set the cpu.burst to 900000: "));
	}
	if (*value(&host, "cpu", "cpu.idle", "cpu.idle")) {
		CU_ASSERT_EQUAL(UPDATE(.cpu_idle = { true, 1 }, .cpu_shares = 700), 0);
		CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.idle", "cpu.idle"), "1");
		CU_ASSERT_EQUAL(UPDATE(.cpu_idle = { true, 0 }, .cpu_shares = 512), 0);
		CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.idle", "cpu.idle"), "0");
		CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.shares", "cpu.weight"), on_v1(&host, "cpu") ? "512" : "59");
	}
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

TEST(cgroup_update, a_failure_puts_the_old_values_back)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources first = { .memory_limit = 32 * MIB, .memory_swap = 64 * MIB, .cpu_quota = 50000, .pids_limit = 50 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &first, &host.err), 0);
	const char *shares = value(&host, "cpu", "cpu.shares", "cpu.weight");
	CU_ASSERT_EQUAL(UPDATE(.memory_limit = 100 * MIB, .memory_swap = 200 * MIB, .memory_reservation = 8 * MIB,
			       .cpu_shares = 100, .cpu_quota = 70000, .cpu_period = 70000, .pids_limit = INT64_MAX),
			-1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "set the limit of processes to 9223372036854775807: "));
	check_memory(&host, 32, 64);
	CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.shares", "cpu.weight"), shares);
	CU_ASSERT_STRING_EQUAL(value(&host, "cpu", "cpu.cfs_quota_us", "cpu.max"), on_v1(&host, "cpu") ? "50000" : "50000 100000");
	CU_ASSERT_STRING_EQUAL(value(&host, "pids", "pids.max", "pids.max"), "50");
	const char *reserved = value(&host, "memory", "memory.soft_limit_in_bytes", "memory.low");
	CU_ASSERT_TRUE(str_eq(reserved, "0") || strlen(reserved) > 12);
	CU_ASSERT_EQUAL(UPDATE(.memory_limit = 100 * MIB, .cpuset_cpus = "0-4000"),
			-1); // nothing is written before all is known to fit
	check_memory(&host, 32, 64);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

static int hold_memory(void)
{
	char *bytes = mmap(NULL, 32 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return 1;
	memset(bytes, 1, 32 * MIB);
	return host_wait();
}

static bool holds_memory(struct host *host)
{
	return strlen(value(host, "memory", "memory.usage_in_bytes", "memory.current")) >= strlen("33554432");
}

TEST(cgroup_update, a_limit_below_what_is_used_is_refused_if_asked)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &(struct spec_resources){ .memory_limit = 64 * MIB }, &host.err), 0);
	int pidfd = host_spawn(&host, hold_memory, NULL);
	CU_ASSERT_TRUE(host_until(&host, holds_memory));
	poll(NULL, 0, 100); // until all of it is there
	CU_ASSERT_EQUAL(UPDATE(.memory_limit = 4 * MIB, .memory_check = true), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "rejecting memory limit 4194304: "));
	check_memory(&host, 64, -1);
	CU_ASSERT_EQUAL(UPDATE(.memory_limit = 60 * MIB, .memory_check = true), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

// A group that has no limit of a kind isn't in that hierarchy, until it gets one: its processes go there, too.
TEST(cgroup_update, a_group_is_extended_to_where_a_limit_is)
{
	struct host host;
	if (!host_start(&host))
		return;
	bool extended = false;
	struct spec_resources limit = { .memory_limit = 32 * MIB };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_id, &(struct spec_resources){ .pids_limit = 50 }, &host.err), 0);
	bool v1 = on_v1(&host, "memory");
	pid_t pid = 0;
	int pidfd = host_spawn(&host, host_wait, &pid);
	while (!*value(&host, "pids", "cgroup.procs", "cgroup.procs"))
		continue;
	CU_ASSERT_EQUAL(cgroup_update(&host.cgroup, &limit, &extended, &host.err), 0);
	CU_ASSERT_EQUAL(extended, v1);
	CU_ASSERT_STRING_EQUAL(value(&host, "memory", "memory.limit_in_bytes", "memory.max"), "33554432");
	CU_ASSERT_STRING_EQUAL(value(&host, "memory", "cgroup.procs", "cgroup.procs"), arena_printf(&host.arena, "%d", (int)pid));
	CU_ASSERT_EQUAL(cgroup_update(&host.cgroup, &limit, &extended, &host.err), 0);
	CU_ASSERT_FALSE(extended);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

TEST(cgroup_update, without_a_group_it_is_an_error)
{
	struct arena arena = { 0 };
	struct err err;
	struct cgroup none = { .arena = &arena, .v2 = -1, .keeper = -1 };
	CU_ASSERT_EQUAL(cgroup_update(&none, &(struct spec_resources){ .pids_limit = 5 }, NULL, &err), -1);
	CU_ASSERT_EQUAL(cgroup_update(&none, &(struct spec_resources){ 0 }, NULL, &err), 0);
	arena_free(&arena);
}
