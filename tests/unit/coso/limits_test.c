// SPDX-License-Identifier: GPL-2.0-or-later
// limits_test.c - limits as people write them
#include "coso/spec/flags.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/resource.h>

static int read_limits(const struct flags *flags, struct spec_resources *out)
{
	struct err err = { 0 };
	*out = (struct spec_resources){ 0 };
	int result = flags_resources(flags, out, &err);
	CU_ASSERT_EQUAL(result < 0, err.msg[0] != '\0');
	return result;
}

#define RESOURCES(out, ...) read_limits(&(struct flags){ __VA_ARGS__ }, out)

TEST(limits, of_memory)
{
	struct spec_resources r;
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "64m", .memory_swap = "1g", .memory_reservation = "512k"), 0);
	CU_ASSERT_EQUAL(r.memory_limit, 64 << 20);
	CU_ASSERT_EQUAL(r.memory_swap, 1 << 30);
	CU_ASSERT_EQUAL(r.memory_reservation, 512 << 10);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "-1", .memory_swap = "-1"), 0);
	CU_ASSERT_EQUAL(r.memory_limit, -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "64m", .memory_swap = "64m"), 0);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "64m", .memory_swap = "63m"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory_swap = "64m"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "64m", .memory_reservation = "65m"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "524287"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "524288"), 0);
	CU_ASSERT_EQUAL(RESOURCES(&r, .memory = "-2"), -1);
}

TEST(limits, of_cpu)
{
	struct spec_resources r;
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpus = "1.5", .cpu_weight = "250"), 0);
	CU_ASSERT_EQUAL(r.cpu_quota, 150000);
	CU_ASSERT_EQUAL(r.cpu_period, 100000);
	CU_ASSERT_EQUAL(r.cpu_weight, 250);
	CU_ASSERT_EQUAL(r.cpu_shares, 0);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpu_weight = "25%"), 0);
	CU_ASSERT_EQUAL(r.cpu_shares, 256);
	CU_ASSERT_EQUAL(r.cpu_weight, 0);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpus = "0.01"), 0);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpus = "0.009"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpus = "1000.001"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpu_weight = "0"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpu_weight = "10001"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpu_weight = "101%"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .cpu_weight = "%"), -1);
}

TEST(limits, lists_of_cpus)
{
	static const char *const right[] = { "0", "0-3", "0-2,7", "1,1", "8191", "5-5" };
	static const char *const wrong[] = { "", ",", "0,", ",0", "-", "1-", "-1", "2-1", "a", "0 ", "0-1-2", "8192", "0:1", "+1" };
	struct spec_resources r;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		CU_ASSERT_EQUAL(RESOURCES(&r, .cpuset_cpus = right[i], .cpuset_mems = right[i]), 0);
		CU_ASSERT_STRING_EQUAL(r.cpuset_cpus, right[i]);
		CU_ASSERT_STRING_EQUAL(r.cpuset_mems, right[i]);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(RESOURCES(&r, .cpuset_cpus = wrong[i]), -1);
		CU_ASSERT_EQUAL(RESOURCES(&r, .cpuset_mems = wrong[i]), -1);
	}
}

TEST(limits, of_pids_and_io)
{
	struct spec_resources r;
	CU_ASSERT_EQUAL(RESOURCES(&r, .pids_limit = "64", .io_weight = "10"), 0);
	CU_ASSERT_EQUAL(r.pids_limit, 64);
	CU_ASSERT_EQUAL(r.io_weight, 100);
	CU_ASSERT_EQUAL(RESOURCES(&r, .pids_limit = "-1"), 0);
	CU_ASSERT_EQUAL(r.pids_limit, -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .pids_limit = "0"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .pids_limit = "4194305"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .io_weight = "9"), -1);
	CU_ASSERT_EQUAL(RESOURCES(&r, .io_weight = "1001"), -1);
}

static int read_ulimit(const char *text, struct spec_process *process)
{
	own_arena struct arena arena = { 0 };
	struct strv list = { 0 };
	strv_push(&arena, &list, text);
	return flags_ulimits(&list, process, NULL);
}

TEST(limits, ulimits)
{
	struct spec_process p = { 0 };
	CU_ASSERT_EQUAL(read_ulimit("nofile=10:20", &p), 0);
	CU_ASSERT_EQUAL(read_ulimit("core=unlimited", &p), 0);
	CU_ASSERT_EQUAL(read_ulimit("nproc=5:-1", &p), 0);
	CU_ASSERT_EQUAL(read_ulimit("nofile=30", &p), 0); // the last of a name counts
	CU_ASSERT_EQUAL_FATAL(p.rlimit_count, 3);
	CU_ASSERT_EQUAL(p.rlimits[0].resource, RLIMIT_NOFILE);
	CU_ASSERT_EQUAL(p.rlimits[0].soft, 30);
	CU_ASSERT_EQUAL(p.rlimits[0].hard, 30);
	CU_ASSERT_EQUAL(p.rlimits[1].hard, RLIM_INFINITY);
	CU_ASSERT_EQUAL(p.rlimits[2].soft, 5);
	static const char *const wrong[] = {
		"",       "nofile",    "nofile=",           "=1", "nofile=2:1", "nofile=1:2:3", "nofile=1=2",
		"nope=1", "nofile=-2", "nofile=unlimited:5"
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(read_ulimit(wrong[i], &p), -1);
	CU_ASSERT_EQUAL(p.rlimit_count, 3);
}

TEST(limits, every_ulimit_fits)
{
	static const char *const names[] = { "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
					     "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack" };
	struct spec_process p = { 0 };
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CU_ASSERT_EQUAL(read_ulimit(arena_printf(&arena, "%s=1", names[i]), &p), 0);
	CU_ASSERT_EQUAL(p.rlimit_count, SPEC_RLIMITS_MAX);
}
