// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_settings_test.c - limits become the right files and values on v1 and on v2; what the kernel keeps is judged rightly
#include "coso/cgroup/settings.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { V1, V2 };

static struct cgroup host(struct arena *arena, int version)
{
	static const char *const names[] = { "memory",  "cpu,cpuacct", "cpuset",   "pids", "blkio",
					     "hugetlb", "net_cls",     "net_prio", "rdma" };
	struct cgroup cgroup = { .arena = arena, .v2 = -1, .keeper = -1 };
	for (size_t i = 0; i < (version == V2 ? 1 : sizeof(names) / sizeof(*names)); i++)
		cgroup.hierarchies[cgroup.count++] = (struct cgroup_hierarchy){
			.mount = "/nowhere",
			.own = "/",
			.top = "/nowhere",
			.controllers = version == V2 ? "cpuset,cpu,io,memory,pids,hugetlb,rdma" : names[i],
			.v2 = version == V2,
			.join = -1,
		};
	return cgroup;
}

// What would be written: "file=value file=value …".
static const char *planned(struct arena *arena, int version, const struct spec_resources *resources, struct err *err)
{
	struct cgroup cgroup = host(arena, version);
	struct settings settings = { 0 };
	if (settings_plan(&cgroup, resources, &settings, err) < 0)
		return "error";
	const char *text = "";
	for (size_t i = 0; i < settings.count; i++)
		text = arena_printf(arena, "%s%s%s=%s", text, i ? "," : "", settings.items[i].file, settings.items[i].value);
	return text;
}

#define CHECK_PLAN(version, expected, ...)                                                                                         \
	do {                                                                                                                       \
		struct arena arena = { 0 };                                                                                        \
		struct err err = { 0 };                                                                                            \
		CU_ASSERT_STRING_EQUAL(planned(&arena, version, &(struct spec_resources){ __VA_ARGS__ }, &err), expected);         \
		arena_free(&arena);                                                                                                \
	} while (0)

#define CHECK_REFUSED(version, expected, ...)                                                                                      \
	do {                                                                                                                       \
		struct arena arena = { 0 };                                                                                        \
		struct err err = { 0 };                                                                                            \
		CU_ASSERT_STRING_EQUAL(planned(&arena, version, &(struct spec_resources){ __VA_ARGS__ }, &err), "error");          \
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, expected));                                                                 \
		arena_free(&arena);                                                                                                \
	} while (0)

TEST(cgroup_settings, nothing_asked_is_nothing_written)
{
	CHECK_PLAN(V1, "", .memory_limit = 0);
	CHECK_PLAN(V2, "", .memory_limit = 0);
}

TEST(cgroup_settings, memory)
{
	CHECK_PLAN(V1, "memory.limit_in_bytes=1000,memory.memsw.limit_in_bytes=1500,memory.soft_limit_in_bytes=7",
		   .memory_limit = 1000, .memory_swap = 1500, .memory_reservation = 7);
	CHECK_PLAN(V2, "memory.max=1000,memory.swap.max=500,memory.low=7", .memory_limit = 1000, .memory_swap = 1500,
		   .memory_reservation = 7);
	CHECK_PLAN(V2, "memory.max=1000,memory.swap.max=0", .memory_limit = 1000, .memory_swap = 1000);
	CHECK_PLAN(V1, "memory.limit_in_bytes=-1,memory.memsw.limit_in_bytes=-1", .memory_limit = -1, .memory_swap = -1);
	CHECK_PLAN(V2, "memory.max=max,memory.swap.max=max", .memory_limit = -1, .memory_swap = -1);
	CHECK_REFUSED(V1, "unable to set swap limit without memory limit", .memory_swap = 1000);
	CHECK_REFUSED(V2, "unable to set swap limit without memory limit", .memory_swap = 1000, .memory_limit = -1);
	CHECK_REFUSED(V2, "memory+swap limit should be >= memory limit", .memory_swap = 1000, .memory_limit = 1001);
	CHECK_REFUSED(V1, "memory limit -2", .memory_limit = -2);
}

TEST(cgroup_settings, cpu)
{
	CHECK_PLAN(V1, "cpu.shares=512,cpu.cfs_period_us=50000,cpu.cfs_quota_us=25000", .cpu_shares = 512, .cpu_quota = 25000,
		   .cpu_period = 50000);
	CHECK_PLAN(V2, "cpu.weight=59,cpu.max=25000 50000", .cpu_shares = 512, .cpu_quota = 25000, .cpu_period = 50000);
	CHECK_PLAN(V2, "cpu.max=25000 100000", .cpu_quota = 25000);
	CHECK_PLAN(V2, "cpu.max=max 50000", .cpu_period = 50000);
	CHECK_PLAN(V2, "cpu.max=max 100000", .cpu_quota = -1);
	CHECK_PLAN(V1, "cpu.cfs_quota_us=-1", .cpu_quota = -1);
	CHECK_PLAN(V1, "cpu.shares=2621", .cpu_weight = 256, .cpu_shares = 512);
	CHECK_PLAN(V2, "cpu.weight=256", .cpu_weight = 256, .cpu_shares = 512);
	CHECK_PLAN(V1, "cpuset.cpus=0-1,3,cpuset.mems=0", .cpuset_cpus = "0-1,3", .cpuset_mems = "0");
	CHECK_PLAN(V2, "cpuset.cpus=0-1,3,cpuset.mems=0", .cpuset_cpus = "0-1,3", .cpuset_mems = "0");
	CHECK_PLAN(V1, "cpu.shares=2", .cpu_shares = 1);
	CHECK_PLAN(V2, "cpu.weight=1", .cpu_shares = 1);
	CHECK_PLAN(V1, "cpu.shares=262144", .cpu_shares = UINT64_MAX);
	CHECK_PLAN(V2, "cpu.weight=10000", .cpu_shares = UINT64_MAX);
	CHECK_REFUSED(V2, "CPU weight 10001:", .cpu_weight = 10001);
	CHECK_REFUSED(V1, "CPU period (µs) 999:", .cpu_period = 999);
	CHECK_REFUSED(V2, "CPU quota (µs) 999:", .cpu_quota = 999);
}

TEST(cgroup_settings, memory_of_v1_alone)
{
	CHECK_PLAN(V1,
		   "memory.limit_in_bytes=10,memory.kmem.limit_in_bytes=10,memory.kmem.tcp.limit_in_bytes=5,memory.swappiness=0",
		   .memory_limit = 10, .memory_kernel = 10, .memory_kernel_tcp = 5, .memory_swappiness = { true, 0 });
	CHECK_PLAN(V1, "memory.kmem.limit_in_bytes=7,memory.oom_control=1", .memory_kernel = 7, .memory_no_oom_killer = true);
	CHECK_REFUSED(V1, "memory.swappiness 101: 0 to 100", .memory_swappiness = { true, 101 });
	CHECK_REFUSED(V2, "set memory.swappiness to 7: cgroup v2 has nothing like it", .memory_swappiness = { true, 7 });
	CHECK_REFUSED(V2, "set memory.disableOOMKiller to 1: cgroup v2", .memory_no_oom_killer = true);
	CHECK_REFUSED(V2, "set memory.kernel to 9: cgroup v2", .memory_limit = 10, .memory_kernel = 9);
	CHECK_REFUSED(V2, "set memory.kernelTCP to 9: cgroup v2", .memory_kernel_tcp = 9);
	// What holds anyway is no error.
	CHECK_PLAN(V2, "memory.max=10", .memory_limit = 10, .memory_kernel = 10, .memory_kernel_tcp = 11);
	CHECK_PLAN(V2, "", .memory_kernel = -1, .memory_kernel_tcp = -1);
	CHECK_PLAN(V1, "memory.kmem.limit_in_bytes=-1", .memory_kernel = -1);
}

TEST(cgroup_settings, cpu_besides_shares_and_quota)
{
	CHECK_PLAN(V1, "cpu.cfs_quota_us=50000,cpu.cfs_burst_us=2000", .cpu_quota = 50000, .cpu_burst = { true, 2000 });
	CHECK_PLAN(V2, "cpu.max=50000 100000,cpu.max.burst=2000", .cpu_quota = 50000, .cpu_burst = { true, 2000 });
	CHECK_PLAN(V1, "cpu.cfs_quota_us=-1", .cpu_quota = -7);
	CHECK_PLAN(V2, "cpu.max=max 100000", .cpu_quota = -7);
	CHECK_PLAN(V1, "cpu.rt_period_us=1000,cpu.rt_runtime_us=100", .cpu_rt_period = 1000, .cpu_rt_runtime = 100);
	CHECK_REFUSED(V2, "set cpu.realtimeRuntime to 100: cgroup v2", .cpu_rt_runtime = 100);
	CHECK_REFUSED(V2, "set cpu.realtimePeriod to 100: cgroup v2", .cpu_rt_period = 100);
	// An idle group has no weight.
	CHECK_PLAN(V1, "cpu.idle=1", .cpu_shares = 512, .cpu_idle = { true, 1 });
	CHECK_PLAN(V2, "cpu.idle=1", .cpu_shares = 512, .cpu_idle = { true, 1 });
	CHECK_PLAN(V2, "cpu.weight=59,cpu.idle=0", .cpu_shares = 512, .cpu_idle = { true, 0 });
}

TEST(cgroup_settings, shares_and_weights_follow_the_curve)
{
	static const struct {
		uint64_t shares, weight;
	} points[] = { { 0, 0 },      { 1, 1 },      { 2, 1 },          { 3, 2 },          { 512, 59 },
		       { 1024, 100 }, { 2048, 174 }, { 262143, 10000 }, { 262144, 10000 }, { UINT64_MAX, 10000 } };
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		CU_ASSERT_EQUAL(settings_weight_of_shares(points[i].shares), points[i].weight);
	uint64_t last = 0;
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		uint64_t weight = settings_weight_of_shares(shares);
		CU_ASSERT(weight >= last && weight <= 10000);
		last = weight;
	}
	CU_ASSERT_EQUAL(settings_shares_of_weight(100), 1024);
	CU_ASSERT_EQUAL(settings_shares_of_weight(1), 10);
	CU_ASSERT_EQUAL(settings_shares_of_weight(10000), 102400);
}

TEST(cgroup_settings, pids_and_io)
{
	CHECK_PLAN(V1, "pids.max=64,blkio.bfq.weight=50", .pids_limit = 64, .io_weight = 500);
	CHECK_PLAN(V1, "pids.max=0", .pids_none = true);
	CHECK_PLAN(V2, "pids.max=0", .pids_none = true);
	CHECK_PLAN(V2, "pids.max=64,io.weight=500", .pids_limit = 64, .io_weight = 500);
	CHECK_PLAN(V1, "pids.max=max,blkio.bfq.weight=1", .pids_limit = -1, .io_weight = 1);
	CHECK_REFUSED(V1, "I/O weight 10001:", .io_weight = 10001);
	CHECK_REFUSED(V1, "limit of processes -5", .pids_limit = -5);
}

TEST(cgroup_settings, io_of_devices)
{
	struct spec_io_rate weights[] = { { 8, 0, 500 }, { 8, 16, 10 } }, leaf[] = { { 8, 0, 20 } }, some[] = { { 8, 0, 1048576 } };
	struct spec_io_rate none[] = { { 8, 0, 0 } };
	CHECK_PLAN(V1,
		   "blkio.bfq.weight=300,blkio.leaf_weight=10,blkio.bfq.weight_device=8:0 500,blkio.bfq.weight_device=8:16 10,"
		   "blkio.leaf_weight_device=8:0 20",
		   .blkio_weight = 300, .blkio_leaf_weight = 10, .blkio_weights = { weights, 2 },
		   .blkio_leaf_weights = { leaf, 1 });
	CHECK_PLAN(V2, "io.bfq.weight=300,io.bfq.weight=8:0 500,io.bfq.weight=8:16 10", .blkio_weight = 300,
		   .blkio_weights = { weights, 2 });
	CHECK_PLAN(V1,
		   "blkio.throttle.read_bps_device=8:0 1048576,blkio.throttle.write_bps_device=8:0 0,"
		   "blkio.throttle.read_iops_device=8:0 1048576,blkio.throttle.write_iops_device=8:0 1048576",
		   .read_bps = { some, 1 }, .write_bps = { none, 1 }, .read_iops = { some, 1 }, .write_iops = { some, 1 });
	CHECK_PLAN(V2, "io.max=8:0 rbps=1048576,io.max=8:0 wbps=max,io.max=8:0 riops=1048576,io.max=8:0 wiops=1048576",
		   .read_bps = { some, 1 }, .write_bps = { none, 1 }, .read_iops = { some, 1 }, .write_iops = { some, 1 });
	CHECK_REFUSED(V2, "set blockIO.leafWeight to 10: cgroup v2", .blkio_leaf_weight = 10);
	CHECK_REFUSED(V2, "leafWeight to 20: cgroup v2", .blkio_leaf_weights = { leaf, 1 });
	CHECK_REFUSED(V1, "blockIO.weight 9:", .blkio_weight = 9);
	CU_ASSERT_EQUAL(settings_io_weight(10), 1);
	CU_ASSERT_EQUAL(settings_io_weight(500), 4950);
	CU_ASSERT_EQUAL(settings_io_weight(1000), 10000);
}

TEST(cgroup_settings, huge_pages_network_and_rdma)
{
	struct spec_hugepages pages[] = { { "2MB", 4194304 }, { "1GB", UINT64_MAX } }, wrong[] = { { "2mb", 1 } };
	struct spec_priority priorities[] = { { "lo", 3 }, { "eth0", 0 } }, bad[] = { { "a b", 3 } };
	struct spec_rdma rdma[] = { { "mlx5_0", 2, 300 }, { "mlx5_1", -1, 7 } }, empty[] = { { "mlx5_0", -1, -1 } };
	CHECK_PLAN(V1,
		   "hugetlb.2MB.limit_in_bytes=4194304,hugetlb.2MB.rsvd.limit_in_bytes=4194304,"
		   "hugetlb.1GB.limit_in_bytes=18446744073709551615,hugetlb.1GB.rsvd.limit_in_bytes=18446744073709551615",
		   .hugepages = pages, .hugepage_count = 2);
	CHECK_PLAN(V2, "hugetlb.2MB.max=4194304,hugetlb.2MB.rsvd.max=4194304", .hugepages = pages, .hugepage_count = 1);
	CHECK_REFUSED(V2, "hugepageLimits: '2mb'", .hugepages = wrong, .hugepage_count = 1);
	CHECK_PLAN(V1, "net_cls.classid=1048577,net_prio.ifpriomap=lo 3,net_prio.ifpriomap=eth0 0", .net_class = 0x100001,
		   .net_priorities = priorities, .net_priority_count = 2);
	CHECK_REFUSED(V2, "set the network.classID: it takes the cgroup v1 controller 'net_cls', and ", .net_class = 1);
	CHECK_REFUSED(V2, "set the network.priorities: it takes the cgroup v1 controller 'net_prio', and ",
		      .net_priorities = priorities, .net_priority_count = 1);
	CHECK_REFUSED(V1, "network.priorities: 'a b'", .net_priorities = bad, .net_priority_count = 1);
	for (int version = V1; version <= V2; version++) {
		CHECK_PLAN(version, "rdma.max=mlx5_0 hca_handle=2 hca_object=300,rdma.max=mlx5_1 hca_object=7", .rdma = rdma,
			   .rdma_count = 2);
		CHECK_REFUSED(version, "rdma 'mlx5_0'", .rdma = empty, .rdma_count = 1);
	}
	CU_ASSERT_EQUAL(settings_page_size("64KB"), 65536);
	CU_ASSERT_EQUAL(settings_page_size("1GB"), UINT64_C(1) << 30);
	CU_ASSERT_EQUAL(settings_page_size("MB") + settings_page_size("2") + settings_page_size("2MiB"), 0);
}

TEST(cgroup_settings, unified)
{
	char *good[] = { "memory.high=12", "cgroup.max.depth=1", NULL }, *slash[] = { "memory.max/../memory.high=1", NULL };
	char *nothing[] = { "memory.high", NULL }, *unknown[] = { "misc.max=1", NULL };
	char *lines[] = { "io.max=8:0 rbps=1\n8:16 rbps=2\n", NULL };
	CHECK_PLAN(V2, "io.max=8:0 rbps=1,io.max=8:16 rbps=2", .unified = { lines, 1 });
	CHECK_PLAN(V2, "memory.max=5,memory.high=12,cgroup.max.depth=1", .memory_limit = 5, .unified = { good, 2 });
	CHECK_REFUSED(V1, "'memory' is on cgroup v1", .unified = { good, 1 });
	CHECK_REFUSED(V2, "FILE=VALUE is needed", .unified = { slash, 1 });
	CHECK_REFUSED(V2, "FILE=VALUE is needed", .unified = { nothing, 1 });
	CHECK_REFUSED(V2, "controller 'misc'", .unified = { unknown, 1 });
}

TEST(cgroup_settings, a_missing_controller_is_named)
{
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct settings settings;
	struct cgroup cgroup = host(&arena, V1);
	cgroup.hierarchies[0].unusable = "it is mounted read-only on '/nowhere'";
	CU_ASSERT_EQUAL(settings_plan(&cgroup, &(struct spec_resources){ .memory_limit = 1 }, &settings, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg,
			       "set the memory limit: it takes the cgroup controller 'memory', and it is mounted read-only on "
			       "'/nowhere'");
	cgroup.hierarchies[4].unusable = "it is full of eels";
	CU_ASSERT_EQUAL(settings_plan(&cgroup, &(struct spec_resources){ .io_weight = 100 }, &settings, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "full of eels"));
	arena_free(&arena);
}

TEST(cgroup_settings, what_the_kernel_keeps)
{
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_TEXT }, "max 100000", "max 100000"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_TEXT }, "64", "63"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "4097", "4096"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "8192", "4096"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "4096", "8192"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "4095", "0"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "0", "0"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "4096", "max"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "max", "max"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "-1", "9223372036854771712"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "-1", "4096"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "9223372036854775807", "max"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_BYTES }, "4096", "none"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_WEIGHT }, "100", "default 100\n8:0 50"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_WEIGHT }, "100", "100"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_WEIGHT }, "10", "default 100"));
	const struct setting line = { .check = SETTING_LINE }, huge = { .check = SETTING_BYTES, .unit = 2 << 20 };
	CU_ASSERT_TRUE(setting_kept(&line, "8:0 rbps=5", "8:16 rbps=5 wbps=max\n8:0 rbps=5 wbps=max"));
	CU_ASSERT_FALSE(setting_kept(&line, "8:0 rbps=5", "8:16 rbps=5 wbps=max\n8:0 rbps=55 wbps=max"));
	CU_ASSERT_TRUE(setting_kept(&line, "8:0 rbps=5", "8:01 rbps=6\n8:0 rbps=5"));
	CU_ASSERT_FALSE(setting_kept(&line, "8:0 rbps=5", ""));
	CU_ASSERT_TRUE(setting_kept(&line, "oom_kill_disable 1", "oom_kill_disable 1\nunder_oom 0"));
	CU_ASSERT_FALSE(setting_kept(&line, "oom_kill_disable 1", "oom_kill_disable 0\nunder_oom 1"));
	CU_ASSERT_TRUE(setting_kept(&huge, "4194305", "4194304"));
	CU_ASSERT_FALSE(setting_kept(&huge, "4194305", "4190208"));
	CU_ASSERT_TRUE(setting_kept(&huge, "18446744073709551615", "9223372036853727232"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0,1,2,5", "0-2,5"));
	CU_ASSERT_TRUE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0-8191", "0-4000,4001-8191"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0-7", "0-1"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0-8192", "0-8192"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "1-0", "1-0"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0,", "0"));
	CU_ASSERT_FALSE(setting_kept(&(struct setting){ .check = SETTING_LIST }, "0-1-2", "0-2"));
}

static void put(const char *folder, const char *name, const char *text)
{
	struct arena arena = { 0 };
	own_fd int fd = open(arena_printf(&arena, "%s/%s", folder, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CU_ASSERT_EQUAL(fd_write_full(fd, text, strlen(text)), 0);
	arena_free(&arena);
}

TEST(cgroup_settings, apply_reads_back)
{
	struct arena arena = { 0 };
	struct err err = { 0 };
	char folder[] = "/tmp/coso-unit-XXXXXX";
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	struct setting setting = {
		.what = "memory limit", .file = "a", .value = "8192", .check = SETTING_BYTES, .needs = "CONFIG_X"
	};
	CU_ASSERT_EQUAL(setting_apply(&arena, &setting, folder, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "set the memory limit to 8192: this kernel has no 'a' (it takes CONFIG_X)");
	setting.optional = true;
	CU_ASSERT_EQUAL(setting_apply(&arena, &setting, folder, &err), 0);
	setting.optional = false;
	put(folder, "a", "");
	CU_ASSERT_EQUAL(setting_apply(&arena, &setting, folder, &err), 0);
	put(folder, "b", "4096\n");
	setting.read = "b";
	CU_ASSERT_EQUAL(setting_apply(&arena, &setting, folder, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "set the memory limit to 8192: the kernel keeps '4096' in '"));
	setting = (struct setting){ .what = "I/O weight", .file = "c", .value = "70", .other_file = "d", .other_value = "7" };
	put(folder, "d", "");
	CU_ASSERT_EQUAL(setting_apply(&arena, &setting, folder, &err), 0);
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, folder, &err), 0);
	arena_free(&arena);
}
