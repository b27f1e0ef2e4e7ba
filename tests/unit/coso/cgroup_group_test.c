// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_group_test.c - real groups of this host, below a group "coso-unit-PID" of the test's own in each hierarchy; takes root
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "tests/unit/coso/cgroup_host.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

#define NAMED(name) ((struct cgroup_name){ .id = (name) })

static bool exists(struct host *host, const char *controller, const char *id)
{
	int index = hierarchy_find(&host->cgroup, controller);
	return index >= 0 && access(arena_printf(&host->arena, "%s/coso/%s", host->cgroup.hierarchies[index].top, id), F_OK) == 0;
}

static const char *value_of(struct host *host, const char *controller, const char *v1_file, const char *v2_file)
{
	int index = hierarchy_find(&host->cgroup, controller);
	CU_ASSERT_TRUE_FATAL(index >= 0);
	const struct cgroup_hierarchy *hierarchy = &host->cgroup.hierarchies[index];
	const char *path = arena_printf(&host->arena, "%s/coso/one/%s", hierarchy->top, hierarchy->v2 ? v2_file : v1_file);
	char *text = file_read(&host->arena, AT_FDCWD, path, FILE_SMALL, NULL, &host->err);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	str_clean(text);
	return text;
}

TEST(cgroup_group, limits_are_set_and_the_group_goes)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .memory_limit = 64 * MIB + 5, .pids_limit = 7 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_STRING_EQUAL(value_of(&host, "memory", "memory.limit_in_bytes", "memory.max"), "67108864");
	CU_ASSERT_STRING_EQUAL(value_of(&host, "pids", "pids.max", "pids.max"), "7");
	CU_ASSERT_EQUAL(cgroup_has_v1(&host.cgroup), !host.cgroup.hierarchies[hierarchy_find(&host.cgroup, "memory")].v2);
	CU_ASSERT_STRING_EQUAL(host.cgroup.path, "/coso/one");
	CU_ASSERT_EQUAL(cgroup_oom_kills(&host.cgroup), 0);
	for (size_t i = 0; i < host.cgroup.count; i++)
		if (host.cgroup.hierarchies[i].join >= 0)
			CU_ASSERT_EQUAL(fcntl(host.cgroup.hierarchies[i].join, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, 0, &host.err), 0);
	CU_ASSERT_FALSE(exists(&host, "memory", ""));
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, 0, &host.err), 0);
	host_end(&host);
}

// Waits until the group `one` lists `pid` and nothing else; returns that text.
static const char *wait_for_join(struct host *host, const char *controller, pid_t pid)
{
	const char *mine = arena_printf(&host->arena, "%d", (int)pid);
	int64_t deadline = proc_now_ms() + PATIENCE_MS;
	while (!str_eq(value_of(host, controller, "cgroup.procs", "cgroup.procs"), mine) && proc_now_ms() < deadline)
		poll(NULL, 0, 1);
	CU_ASSERT_STRING_EQUAL(value_of(host, controller, "cgroup.procs", "cgroup.procs"), mine);
	return mine;
}

TEST(cgroup_group, a_child_joins_and_is_killed_by_remove)
{
	struct host host;
	if (!host_start(&host))
		return;
	pid_t pid = 0;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &(struct spec_resources){ .memory_limit = 64 * MIB }, &host.err),
			0);
	int pidfd = host_spawn(&host, host_wait, &pid);
	const char *mine = wait_for_join(&host, "memory", pid);
	cgroup_close(&host.cgroup);
	struct cgroup second = host.cgroup;
	CU_ASSERT_EQUAL(cgroup_create(&second, &NAMED("one"), &(struct spec_resources){ .memory_limit = MIB }, &host.err), -1);
	CU_ASSERT_EQUAL(host.err.code, EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "container's cgroup is not empty: 1 process(es) found in '"));
	CU_ASSERT_STRING_EQUAL(value_of(&host, "memory", "cgroup.procs", "cgroup.procs"), mine);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

static int eat_memory(void)
{
	char *bytes = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED)
		return 1;
	memset(bytes, 1, 64 * MIB);
	return 0;
}

TEST(cgroup_group, memory_beyond_the_limit_is_an_oom_kill)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .memory_limit = 16 * MIB };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, eat_memory, NULL)), SIGKILL);
	CU_ASSERT_TRUE(cgroup_oom_kills(&host.cgroup) >= 1);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

// Forks until the limit refuses; the children stay, and fork as well.
static int fork_bomb(void)
{
	for (int i = 0; i < 1000; i++) {
		pid_t pid = fork();
		if (pid < 0 && errno != EAGAIN)
			return 1;
		if (pid < 0)
			poll(NULL, 0, 1);
	}
	return 0;
}

TEST(cgroup_group, a_fork_bomb_stays_in_its_group_and_is_removed)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .pids_limit = 50 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	int pidfd = host_spawn(&host, fork_bomb, NULL);
	int64_t deadline = proc_now_ms() + PATIENCE_MS;
	while (!str_eq(value_of(&host, "pids", "pids.current", "pids.current"), "50") && proc_now_ms() < deadline)
		poll(NULL, 0, 1);
	CU_ASSERT_STRING_EQUAL(value_of(&host, "pids", "pids.current", "pids.current"), "50");
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

TEST(cgroup_group, groups_that_a_container_made_go_too)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &(struct spec_resources){ .pids_limit = 5 }, &host.err), 0);
	const char *folder = host.cgroup.hierarchies[hierarchy_find(&host.cgroup, "pids")].folder;
	const char *deep = arena_printf(&host.arena, "%s/a", folder);
	CU_ASSERT_EQUAL(mkdir(deep, 0755), 0);
	deep = arena_printf(&host.arena, "%s/b", deep);
	CU_ASSERT_EQUAL(mkdir(deep, 0755), 0);
	pid_t pid = 0;
	int pidfd = host_spawn(&host, host_wait, &pid);
	wait_for_join(&host, "pids", pid);
	const char *procs = arena_printf(&host.arena, "%s/cgroup.procs", deep);
	CU_ASSERT_EQUAL(file_put(AT_FDCWD, procs, arena_printf(&host.arena, "%d", (int)pid), &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	host_end(&host);
}

TEST(cgroup_group, remove_names_what_stays)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &(struct spec_resources){ .pids_limit = 5 }, &host.err), 0);
	pid_t pid = 0;
	int pidfd = host_spawn(&host, host_wait, &pid);
	wait_for_join(&host, "pids", pid);
	const char *folder = host.cgroup.hierarchies[hierarchy_find(&host.cgroup, "pids")].folder;
	CU_ASSERT_EQUAL(file_put(AT_FDCWD, arena_printf(&host.arena, "%s/cgroup.procs", folder),
				 arena_printf(&host.arena, "%d", (int)pid), &host.err),
			0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, 0, &host.err), -1);
	CU_ASSERT_EQUAL(host.err.code, EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "/coso/one': what runs in it doesn't end"));
	CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
	host_ended(pidfd);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

TEST(cgroup_group, a_refused_value_leaves_nothing)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .memory_limit = 64 * MIB, .pids_limit = INT64_MAX };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "set the limit of processes to 9223372036854775807: "));
	CU_ASSERT_FALSE(exists(&host, "memory", "") || exists(&host, "pids", ""));
	resources = (struct spec_resources){ .memory_limit = 1 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "the kernel keeps '0'"));
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("a/b"), &(struct spec_resources){ 0 }, &host.err), -1);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED(".."), &(struct spec_resources){ 0 }, &host.err), -1);
	CU_ASSERT_EQUAL(cgroup_find(&host.cgroup, "..", &host.err), -1);
	CU_ASSERT_FALSE(exists(&host, "memory", "") || exists(&host, "pids", ""));
	host_end(&host);
}

// /dev/zero can be read and not written, /dev/null both, /dev/full neither.
static int try_devices(void)
{
	static const struct {
		const char *path;
		int flags, error;
	} tries[] = { { "/dev/null", O_RDWR, 0 },
		      { "/dev/zero", O_RDONLY, 0 },
		      { "/dev/zero", O_WRONLY, EPERM },
		      { "/dev/zero", O_RDWR, EPERM },
		      { "/dev/full", O_RDONLY, EPERM } };
	for (int i = 0; i < (int)(sizeof(tries) / sizeof(*tries)); i++)
		if (open(tries[i].path, tries[i].flags | O_CLOEXEC) < 0 ? errno != tries[i].error : tries[i].error != 0)
			return i + 1;
	return 0;
}

TEST(cgroup_group, device_rules_hold)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_device_rule rules[] = {
		{ false, 'a', -1, -1, "rwm" }, { true, 'c', -1, -1, "m" },  { true, 'c', 1, 3, "rw" }, { true, 'c', 1, 5, "rw" },
		{ true, 'c', 1, 7, "rw" },     { false, 'c', 1, 7, "rwm" }, { false, 'c', 1, 5, "w" },
	};
	struct spec_resources resources = { .devices = rules, .device_count = 5 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, try_devices, NULL)), 3 << 8); // before the last two rules zero may be written
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	cgroup_close(&host.cgroup);
	rules[1].access = "w"; // on v1 a wider rule can't be narrowed: none of that kind here
	rules[1].minor = rules[1].major = 9;
	resources.device_count = sizeof(rules) / sizeof(*rules);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, try_devices, NULL)), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	cgroup_close(&host.cgroup);
	rules[0].type = 'x';
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), -1);
	CU_ASSERT_FALSE(exists(&host, "pids", ""));
	host_end(&host);
}

static int has_one_cpu(void)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set) ? 0 : 1;
}

TEST(cgroup_group, a_cpuset_holds_or_its_lack_is_named)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .cpuset_cpus = "0" };
	if (hierarchy_find(&host.cgroup, "cpuset") < 0) {
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "set the CPUs: it takes the cgroup controller 'cpuset', and "));
		host_end(&host);
		return;
	}
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, has_one_cpu, NULL)), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	cgroup_close(&host.cgroup);
	resources.cpuset_cpus = "0-4000";
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "set the CPUs to 0-4000: "));
	CU_ASSERT_FALSE(exists(&host, "cpuset", ""));
	host_end(&host);
}

TEST(cgroup_group, ids_of_two_folders_are_two)
{
	own_arena struct arena arena = { 0 };
	const char *proc = cgroup_id(&arena, AT_FDCWD, "/proc", "one"), *sys = cgroup_id(&arena, AT_FDCWD, "/sys", "one");
	CU_ASSERT_TRUE(str_starts(proc, "one@") && str_starts(sys, "one@"));
	CU_ASSERT_STRING_NOT_EQUAL(proc, sys);
	CU_ASSERT_STRING_EQUAL(cgroup_id(&arena, AT_FDCWD, "/proc/", "one"), proc);
	CU_ASSERT_STRING_EQUAL(cgroup_id(&arena, AT_FDCWD, "/no/such/folder", "one"), "one@0.0");
}

// An id may be as long as a folder's name, and so may what it becomes.
TEST(cgroup_group, long_ids_stay_names)
{
	own_arena struct arena arena = { 0 };
	char id[NAME_MAX + 1] = "";
	memset(id, 'x', NAME_MAX);
	const char *one = cgroup_id(&arena, AT_FDCWD, "/proc", id);
	CU_ASSERT_TRUE(strlen(one) <= NAME_MAX && !strncmp(one, id, 180));
	CU_ASSERT_STRING_EQUAL(cgroup_id(&arena, AT_FDCWD, "/proc", id), one);
	id[NAME_MAX - 1] = 'y';
	CU_ASSERT_STRING_NOT_EQUAL(cgroup_id(&arena, AT_FDCWD, "/proc", id), one);
}

TEST(cgroup_group, an_empty_one_is_made_anew)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources resources = { .pids_limit = 5 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	cgroup_close(&host.cgroup);
	resources.pids_limit = 6;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &resources, &host.err), 0);
	CU_ASSERT_STRING_EQUAL(value_of(&host, "pids", "pids.max", "pids.max"), "6");
	cgroup_close(&host.cgroup);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("two"), &resources, &host.err), 0);
	struct cgroup one = host.cgroup;
	CU_ASSERT_EQUAL(cgroup_find(&one, "one", &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&one, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_TRUE(exists(&host, "pids", "two"));
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_FALSE(exists(&host, "pids", ""));
	host_end(&host);
}

// The end of a launch costs nothing in hierarchies that it didn't use; after a crash nobody knows which those are.
TEST(cgroup_group, removal_looks_where_a_group_was_made)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &(struct spec_resources){ .pids_limit = 5 }, &host.err), 0);
	const struct cgroup_hierarchy *other = NULL;
	for (size_t i = 0; i < host.cgroup.count && !other; i++)
		other = host.cgroup.hierarchies[i].folder ? NULL : &host.cgroup.hierarchies[i];
	cgroup_close(&host.cgroup);
	const char *base = other ? arena_printf(&host.arena, "%s/coso", other->top) : NULL;
	const char *stray = base ? arena_printf(&host.arena, "%s/one", base) : NULL;
	if (stray) {
		CU_ASSERT_EQUAL(mkdir(base, 0755), 0);
		CU_ASSERT_EQUAL(mkdir(stray, 0755), 0);
	}
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_FALSE(exists(&host, "pids", ""));
	CU_ASSERT_TRUE(!stray || access(stray, F_OK) == 0);
	CU_ASSERT_EQUAL(cgroup_find(&host.cgroup, "one", &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_TRUE(!stray || access(base, F_OK) < 0);
	host_end(&host);
}

// Where a service manager tracks the caller by a hierarchy without controllers, the container leaves that group; else it makes none.
TEST(cgroup_group, a_tracked_caller_is_left)
{
	struct host host;
	if (!host_start(&host))
		return;
	for (int tracked = 0; tracked < 2; tracked++) {
		bool made = false, found = false;
		for (size_t i = 0; i < host.cgroup.count; i++)
			host.cgroup.hierarchies[i].own = tracked ? "/user.slice" : "/";
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &NAMED("one"), &(struct spec_resources){ .pids_limit = 5 }, &host.err),
				0);
		for (size_t i = 0; i < host.cgroup.count; i++)
			if (!*host.cgroup.hierarchies[i].controllers ||
			    str_starts(host.cgroup.hierarchies[i].controllers, "name=")) {
				found = true;
				made |= host.cgroup.hierarchies[i].join >= 0;
			}
		CU_ASSERT_EQUAL(made, found && tracked);
		CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, 0, &host.err), 0);
		cgroup_close(&host.cgroup);
	}
	host_end(&host);
}

TEST(cgroup_group, describe_makes_nothing)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct strv lines = { 0 };
	struct spec_resources resources = { .memory_limit = 64 * MIB, .pids_limit = 7 };
	CU_ASSERT_EQUAL(cgroup_describe(&host.cgroup, &NAMED("one"), &resources, &lines, &host.err), 0);
	CU_ASSERT_EQUAL_FATAL(lines.count, 2);
	CU_ASSERT_TRUE(str_starts(lines.items[0], "memory: memory."));
	CU_ASSERT_TRUE(str_starts(lines.items[1], "pids: pids.max = 7 in /"));
	CU_ASSERT_FALSE(exists(&host, "pids", "") || exists(&host, "memory", ""));
	host_end(&host);
}

TEST(cgroup_group, many_at_a_time_come_and_go)
{
	struct host host;
	if (!host_start(&host))
		return;
	enum { WORKERS = 16, TURNS = 100 };
	pid_t pids[WORKERS];
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = fork();
		if (pids[i] != 0)
			continue;
		struct spec_resources resources = { .memory_limit = 64 * MIB, .pids_limit = 7 };
		const char *id = arena_printf(&host.arena, "w%d", i);
		int failed = 0;
		for (int turn = 0; turn < TURNS && !failed; turn++) {
			failed = cgroup_create(&host.cgroup, &NAMED(id), &resources, &host.err) < 0;
			cgroup_close(&host.cgroup);
			failed |= cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err) < 0;
		}
		if (failed)
			printf("%s\n", host.err.msg);
		fflush(stdout);
		_exit(failed);
	}
	for (int i = 0; i < WORKERS; i++) {
		int status = -1;
		CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
		CU_ASSERT_EQUAL(status, 0);
	}
	host_end(&host);
}
