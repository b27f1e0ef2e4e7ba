// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_stats_test.c - what a group uses: numbers of real groups, and files of other kernels; the first takes root
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "tests/unit/coso/cgroup_host.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

// The number at a path of keys, "memory.usage.limit"; -1: there is none.
static int64_t at(const json_t *stats, const char *path)
{
	struct arena arena = { 0 };
	struct strv keys = str_split(&arena, path, '.');
	for (size_t i = 0; i < keys.count; i++)
		stats = json_object_get(stats, keys.items[i]);
	arena_free(&arena);
	return json_is_integer(stats) ? json_integer_value(stats) : -1;
}

static int use(void)
{
	volatile unsigned int spin = 0;
	char *bytes = mmap(NULL, 16 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return 1;
	memset(bytes, 1, 16 * MIB);
	while (spin < 20000000)
		spin++;
	return 0;
}

TEST(cgroup_stats, a_real_group)
{
	struct host host;
	if (!host_start(&host))
		return;
	const struct cgroup_name name = { .id = "one", .path = "/a/one" };
	struct spec_resources resources = { .memory_limit = 64 * MIB, .pids_limit = 7 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &name, &resources, &host.err), 0);
	json_t *before = cgroup_stats(&host.cgroup);
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, use, NULL)), 0);
	int pidfd = host_spawn(&host, host_wait, NULL);
	struct strv lines = { 0 };
	struct cgroup later;
	cgroup_record(&host.cgroup, &host.arena, &lines);
	CU_ASSERT_EQUAL_FATAL(cgroup_reopen(&host.arena, &lines, &later, &host.err), 0);
	while (!*host_read(&host, "pids", "cgroup.procs"))
		continue;
	json_t *stats = cgroup_stats(&later);
	CU_ASSERT_EQUAL(at(stats, "pids.current"), 1);
	CU_ASSERT_EQUAL(at(stats, "pids.limit"), 7);
	CU_ASSERT_EQUAL(at(stats, "memory.usage.limit"), 64 * MIB);
	int64_t used = at(stats, "cpu.usage.total"), user = at(stats, "cpu.usage.user"), kernel = at(stats, "cpu.usage.kernel");
	CU_ASSERT_TRUE(used > at(before, "cpu.usage.total") + 1000000 && user >= 0 && kernel >= 0 && user + kernel <= used * 2);
	CU_ASSERT_TRUE(at(stats, "memory.usage.usage") >= 0 && at(stats, "memory.cache") >= 0);
	CU_ASSERT_TRUE(at(stats, "memory.usage.max") == -1 || at(stats, "memory.usage.max") >= 16 * MIB);
	CU_ASSERT_TRUE(json_object_size(json_object_get(json_object_get(stats, "memory"), "raw")) > 10);
	CU_ASSERT_TRUE(at(stats, "cpu.throttling.periods") >= 0);
	static const char *const always[] = { "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb" };
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		CU_ASSERT_TRUE(json_is_object(json_object_get(stats, always[i])));
	json_decref(before);
	json_decref(stats);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

struct fake {
	struct arena arena;
	char folder[32];
	struct cgroup cgroup;
};

static void fake_start(struct fake *fake, bool v2)
{
	static const char *const names[] = { "cpu,cpuacct", "cpuset", "memory", "pids", "blkio" };
	*fake = (struct fake){ .folder = "/tmp/coso-unit-XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(fake->folder));
	fake->cgroup = (struct cgroup){ .arena = &fake->arena, .v2 = -1, .keeper = -1 };
	for (size_t i = 0; i < (v2 ? 1 : 5); i++)
		fake->cgroup.hierarchies[fake->cgroup.count++] = (struct cgroup_hierarchy){
			.controllers = v2 ? "" : names[i], .v2 = v2, .folder = fake->folder, .join = -1
		};
}

static void put(struct fake *fake, const char *name, const char *text)
{
	own_fd int fd =
		open(arena_printf(&fake->arena, "%s/%s", fake->folder, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CU_ASSERT_EQUAL(fd_write_full(fd, text, strlen(text)), 0);
}

static void check(struct fake *fake, const char *expected)
{
	json_t *stats = cgroup_stats(&fake->cgroup), *want = json_loads(expected, 0, NULL);
	json_object_del(stats, "hugetlb"); // whose sizes are the host's
	CU_ASSERT_PTR_NOT_NULL(want);
	if (!json_equal(stats, want)) {
		char *text = json_dumps(stats, JSON_SORT_KEYS);
		printf("%s\n", text);
		free(text);
	}
	CU_ASSERT_TRUE(json_equal(stats, want));
	json_decref(stats);
	json_decref(want);
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, fake->folder, NULL), 0);
	arena_free(&fake->arena);
}

TEST(cgroup_stats, files_of_v2)
{
	struct fake fake;
	fake_start(&fake, true);
	put(&fake, "cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 1\nthrottled_usec 7\n");
	put(&fake, "cpu.pressure",
	    "some avg10=0.12 avg60=1.00 avg300=99.99 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	put(&fake, "memory.stat", "anon 10\nfile 20\n");
	put(&fake, "memory.current", "100\n");
	put(&fake, "memory.max", "1000\n");
	put(&fake, "memory.peak", "500\n");
	put(&fake, "memory.swap.current", "11\n");
	put(&fake, "memory.swap.max", "max\n");
	put(&fake, "memory.events", "low 1\nhigh 2\nmax 3\noom 4\n");
	put(&fake, "pids.current", "2\n");
	put(&fake, "pids.max", "max\n");
	put(&fake, "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 \n");
	put(&fake, "cpuset.cpus.effective", "0-2,7\n");
	put(&fake, "cpuset.mems.effective", "\n");
	check(&fake,
	      "{\"cpu\":{\"usage\":{\"total\":5000,\"user\":3000,\"kernel\":2000},"
	      "\"throttling\":{\"periods\":4,\"throttledPeriods\":1,\"throttledTime\":7000},"
	      "\"psi\":{\"some\":{\"avg10\":0.12,\"avg60\":1.0,\"avg300\":99.99,\"total\":123},"
	      "\"full\":{\"avg10\":0.0,\"avg60\":0.0,\"avg300\":0.0,\"total\":0}}},"
	      "\"cpuset\":{\"cpus\":[0,1,2,7],\"mems\":[]},"
	      "\"memory\":{\"cache\":20,\"usage\":{\"limit\":1000,\"usage\":100,\"max\":500,\"failcnt\":3},"
	      "\"swap\":{\"limit\":9223372036854775807,\"usage\":111},\"raw\":{\"anon\":10,\"file\":20}},"
	      "\"pids\":{\"current\":2},"
	      "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":1},"
	      "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":2},{\"major\":8,\"minor\":0,\"op\":\"Discard\",\"value\":0}],"
	      "\"ioServicedRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":3},"
	      "{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":4},{\"major\":8,\"minor\":0,\"op\":\"Discard\",\"value\":0}]}}");
}

TEST(cgroup_stats, files_of_v1)
{
	struct fake fake;
	fake_start(&fake, false);
	put(&fake, "cpuacct.usage", "18446744073709551615\n");
	put(&fake, "cpuacct.usage_percpu", "30 20 \n");
	put(&fake, "cpuacct.usage_all", "cpu user system\n0 10 20\n1 5 15\n");
	put(&fake, "cpuacct.stat", "user 1\nsystem 2\n");
	put(&fake, "cpu.stat", "nr_periods 4\nnr_throttled 1\nthrottled_time 7\n");
	put(&fake, "cpuset.cpus", "0\n");
	put(&fake, "cpuset.cpu_exclusive", "1\n");
	put(&fake, "memory.limit_in_bytes", "1000\n");
	put(&fake, "memory.usage_in_bytes", "100\n");
	put(&fake, "memory.memsw.failcnt", "5\n");
	put(&fake, "memory.stat", "cache 7\nnonsense\n");
	put(&fake, "pids.max", "9\n");
	put(&fake, "blkio.bfq.io_serviced_recursive", "");
	put(&fake, "blkio.throttle.io_serviced_recursive", "8:0 Read 3\n8:0 Total 3\nTotal 3\n");
	put(&fake, "blkio.time_recursive", "8:0 12\n");
	check(&fake, "{\"cpu\":{\"usage\":{\"total\":9223372036854775807,\"percpu\":[30,20],\"percpu_user\":[10,5],"
		     "\"percpu_kernel\":[20,15],\"user\":15,\"kernel\":35},"
		     "\"throttling\":{\"periods\":4,\"throttledPeriods\":1,\"throttledTime\":7}},"
		     "\"cpuset\":{\"cpus\":[0],\"cpu_exclusive\":1},"
		     "\"memory\":{\"cache\":7,\"usage\":{\"limit\":1000,\"usage\":100},\"swap\":{\"failcnt\":5},\"kernel\":{},"
		     "\"kernelTCP\":{},\"raw\":{\"cache\":7}},\"pids\":{\"limit\":9},"
		     "\"blkio\":{\"ioServiceBytesRecursive\":[],\"ioServicedRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"Read\","
		     "\"value\":3},{\"major\":8,\"minor\":0,\"op\":\"Total\",\"value\":3}],\"ioQueueRecursive\":[],"
		     "\"ioServiceTimeRecursive\":[],\"ioWaitTimeRecursive\":[],\"ioMergedRecursive\":[],"
		     "\"ioTimeRecursive\":[{\"major\":8,\"minor\":0,\"op\":\"\",\"value\":12}],\"sectorsRecursive\":[]}}");
}

TEST(cgroup_stats, of_no_group)
{
	struct arena arena = { 0 };
	struct cgroup none = { .arena = &arena, .v2 = -1, .keeper = -1 };
	json_t *stats = cgroup_stats(&none);
	CU_ASSERT_EQUAL(json_object_size(stats), 6);
	CU_ASSERT_EQUAL(at(stats, "memory.usage.limit"), -1);
	json_decref(stats);
	arena_free(&arena);
}
