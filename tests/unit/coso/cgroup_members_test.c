// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_members_test.c - the processes of a group: listed, signalled, frozen, out of memory; takes root
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "tests/unit/coso/cgroup_host.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, FAMILY = 5 };

static const struct cgroup_name by_path = { .id = "one", .path = "/a/one" }, by_id = { .id = "one" };

// A process with children, who all wait.
static int family(void)
{
	for (int i = 1; i < FAMILY; i++)
		if (fork() == 0)
			return host_wait();
	return host_wait();
}

static size_t members(struct host *host)
{
	struct cgroup_pids pids = { 0 };
	CU_ASSERT_EQUAL(cgroup_list(&host->cgroup, &host->arena, &pids, &host->err), 0);
	for (size_t i = 1; i < pids.count; i++)
		CU_ASSERT_TRUE(pids.items[i - 1] < pids.items[i]);
	return pids.count;
}

static bool complete(struct host *host)
{
	return members(host) == FAMILY;
}

static bool empty(struct host *host)
{
	return members(host) == 0;
}

// Moves a process to a group below, in every hierarchy.
static void move_below(struct host *host, pid_t pid)
{
	host_below(host, "below");
	for (size_t i = 0; i < host->cgroup.count; i++) {
		const char *folder = host->cgroup.hierarchies[i].folder;
		if (folder)
			CU_ASSERT_EQUAL(file_put(AT_FDCWD, arena_printf(&host->arena, "%s/below/cgroup.procs", folder),
						 arena_printf(&host->arena, "%d", (int)pid), &host->err),
					0);
	}
}

// As another process sees the group: by its record alone. Returns what was known before.
static struct cgroup reopen(struct host *host)
{
	struct strv lines = { 0 };
	cgroup_record(&host->cgroup, &host->arena, &lines);
	cgroup_close(&host->cgroup);
	struct cgroup before = host->cgroup;
	CU_ASSERT_EQUAL_FATAL(cgroup_reopen(&host->arena, &lines, &host->cgroup, &host->err), 0);
	return before;
}

TEST(cgroup_members, all_are_listed_and_signalled_also_below)
{
	struct host host;
	if (!host_start(&host))
		return;
	for (int turn = 0; turn < 2; turn++) {
		const struct spec_resources some = { .pids_limit = 50 };
		pid_t pid = 0;
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, turn ? &by_path : &by_id, &some, &host.err), 0);
		CU_ASSERT_EQUAL(members(&host), 0);
		CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, SIGTERM, &host.err), 0);
		int pidfd = host_spawn(&host, family, &pid);
		struct cgroup before = reopen(&host);
		CU_ASSERT_TRUE(host_until(&host, complete));
		move_below(&host, pid);
		CU_ASSERT_TRUE(host_until(&host, complete));
		CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, SIGTERM, &host.err), 0);
		CU_ASSERT_EQUAL(host_ended(pidfd), SIGTERM);
		CU_ASSERT_TRUE(host_until(&host, empty));
		CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
		CU_ASSERT_EQUAL(members(&host), 0); // of a group that is gone
		host.cgroup = before;
	}
	host_end(&host);
}

TEST(cgroup_members, freezing_returns_once_it_is_reached)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources some = { .pids_limit = 50 };
	bool extended = true;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &some, &host.err), 0);
	int pidfd = host_spawn(&host, family, NULL);
	struct cgroup before = reopen(&host);
	CU_ASSERT_TRUE(host_until(&host, complete));
	CU_ASSERT_FALSE(cgroup_is_frozen(&host.cgroup));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, true, PATIENCE_MS, &extended, &host.err), 0);
		CU_ASSERT_TRUE(cgroup_is_frozen(&host.cgroup) && !extended);
		CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, i == 1, PATIENCE_MS, NULL, &host.err), 0); // the second time twice
		CU_ASSERT_EQUAL(cgroup_is_frozen(&host.cgroup), i == 1);
	}
	CU_ASSERT_EQUAL(members(&host), FAMILY);
	CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, true, PATIENCE_MS, NULL, &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, SIGTERM, &host.err), 0); // waits for them; v2 lets it through, as it ends them
	const bool v1 = *host_read(&host, "freezer", "freezer.state");       // on v2 who is dying isn't frozen any more
	CU_ASSERT_TRUE(!v1 || (cgroup_is_frozen(&host.cgroup) && members(&host) == FAMILY));
	CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, SIGKILL, &host.err), 0); // doesn't
	CU_ASSERT_EQUAL(host_ended(pidfd) & ~SIGTERM & ~SIGKILL, 0);
	CU_ASSERT_TRUE(host_until(&host, empty));
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host.cgroup = before;
	host_end(&host);
}

static bool counted(struct host *host)
{
	struct cgroup_pids pids = { 0 };
	return cgroup_list(&host->cgroup, &host->arena, &pids, &host->err) == 0 && pids.count == 50;
}

static int fork_for_ever(void)
{
	for (int i = 0; i < 100000; i++) {
		pid_t pid = fork();
		if (pid > 0)
			waitpid(pid, NULL, WNOHANG);
		else if (pid < 0)
			poll(NULL, 0, 1);
	}
	return 0;
}

// Some of its processes fork while it is killed, frozen and asked to end; on v1 without a freezer, too.
TEST(cgroup_members, forks_dont_outrun)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources some = { .pids_limit = 50 };
	for (int turn = 0; turn < 3; turn++) {
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, turn ? &by_path : &by_id, &some, &host.err), 0);
		int pidfd = host_spawn(&host, fork_for_ever, NULL);
		CU_ASSERT_TRUE(host_until(&host, counted));
		if (turn == 2) {
			CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, true, PATIENCE_MS, NULL, &host.err), 0);
			CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, false, PATIENCE_MS, NULL, &host.err), 0);
		}
		int signal = turn == 1 ? SIGTERM : SIGKILL;
		CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, signal, &host.err), 0);
		CU_ASSERT_EQUAL(host_ended(pidfd), signal);
		CU_ASSERT_TRUE(host_until(&host, empty));
		CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
		cgroup_close(&host.cgroup);
	}
	host_end(&host);
}

// A group that was made only where its limits are gets another hierarchy once it is frozen.
TEST(cgroup_members, a_group_is_extended_to_a_freezer)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources some = { .pids_limit = 50 };
	bool extended = false;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_id, &some, &host.err), 0);
	bool has = *host_read(&host, "freezer", "freezer.state") || *host_read(&host, "", "cgroup.events");
	int pidfd = host_spawn(&host, family, NULL);
	CU_ASSERT_TRUE(host_until(&host, complete));
	CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, false, PATIENCE_MS, NULL, &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, true, PATIENCE_MS, &extended, &host.err), 0);
	CU_ASSERT_EQUAL(extended, !has);
	CU_ASSERT_TRUE(cgroup_is_frozen(&host.cgroup));
	struct strv lines = { 0 };
	cgroup_record(&host.cgroup, &host.arena, &lines);
	CU_ASSERT_EQUAL(lines.count, extended ? 2 : 1);
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

TEST(cgroup_members, who_watches_learns_of_memory_that_ran_out)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct spec_resources limited = { .memory_limit = 16 * MIB };
	struct cgroup_oom watch = { .fd = -1 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &by_path, &limited, &host.err), 0);
	CU_ASSERT_EQUAL_FATAL(cgroup_oom_watch(&host.cgroup, &watch, &host.err), 0);
	CU_ASSERT_EQUAL(fcntl(watch.fd, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(fd_wait(watch.fd, 0), 0);
	for (int i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(host_ended(host_spawn(&host, eat_memory, NULL)), SIGKILL);
		bool happened = false;
		while (!happened && fd_wait(watch.fd, PATIENCE_MS) == 1) // v2 tells of every kind of event
			happened = cgroup_oom_happened(&watch);
		CU_ASSERT_TRUE(happened);
		CU_ASSERT_EQUAL(cgroup_oom_kills(&host.cgroup), i + 1);
	}
	while (fd_wait(watch.fd, 0) == 1)
		CU_ASSERT_FALSE(cgroup_oom_happened(&watch) && watch.v2);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_FALSE(cgroup_oom_happened(&watch));
	cgroup_oom_close(&watch);
	CU_ASSERT_EQUAL(watch.fd, -1);
	host_end(&host);
}

TEST(cgroup_members, without_a_group_there_is_nobody)
{
	struct arena arena = { 0 };
	struct err err;
	struct cgroup none = { .arena = &arena, .v2 = -1, .keeper = -1 };
	struct cgroup_pids pids = { .count = 7 };
	CU_ASSERT_EQUAL(cgroup_list(&none, &arena, &pids, &err), 0);
	CU_ASSERT_EQUAL(pids.count, 0);
	CU_ASSERT_EQUAL(cgroup_signal(&none, SIGKILL, &err), 0);
	CU_ASSERT_EQUAL(cgroup_freeze(&none, false, 0, NULL, &err), 0);
	CU_ASSERT_EQUAL(cgroup_freeze(&none, true, 0, NULL, &err), -1);
	CU_ASSERT_FALSE(cgroup_is_frozen(&none));
	CU_ASSERT_EQUAL(cgroup_oom_kills(&none), -1);
	struct cgroup_oom watch;
	CU_ASSERT_EQUAL(cgroup_oom_watch(&none, &watch, &err), -1);
	arena_free(&arena);
}
