// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_host.c - real groups of this host for tests
#include "tests/unit/coso/cgroup_host.h"

#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/v1.h"
#include "coso/cgroup/v2.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *own_folder(struct host *host, size_t index)
{
	return arena_printf(&host->arena, "%s/coso-unit-%d", host->real.hierarchies[index].top, (int)getpid());
}

// Enables what the kernel offers, one by one: a controller may be busy on v1. Returns what wasn't enabled before, to be taken back.
static void hand_down(struct host *host, size_t index)
{
	struct strv names = str_split(&host->arena, host->real.hierarchies[index].controllers, ',');
	for (size_t i = 0; i < names.count; i++)
		if (*names.items[i]) {
			struct strv one = { .items = &names.items[i], .count = 1 };
			CU_ASSERT_EQUAL(v2_enable(&host->arena, host->real.hierarchies[index].top, &one, &host->err), 0);
		}
}

bool host_start(struct host *host)
{
	memset(host, 0, sizeof(*host));
	CU_ASSERT_EQUAL_FATAL(cgroup_detect(&host->arena, &host->real, &host->err), 0);
	if (geteuid() != 0 || host->real.count == 0) {
		printf("skipped: it takes root and a mounted cgroup file system\n");
		return false;
	}
	const char *mounts = "", *own = "";
	for (size_t i = 0; i < host->real.count; i++) {
		const struct cgroup_hierarchy *real = &host->real.hierarchies[i];
		CU_ASSERT_PTR_NULL_FATAL(real->unusable);
		CU_ASSERT_EQUAL(mkdir(own_folder(host, i), 0755), 0);
		if (real->v2)
			hand_down(host, i);
		mounts = arena_printf(&host->arena, "%s1 1 0:1 / %s rw - %s none rw,%s\n", mounts, own_folder(host, i),
				      real->v2 ? "cgroup2" : "cgroup", real->v2 ? "" : real->controllers);
		own = arena_printf(&host->arena, "%s%zu:%s:/\n", own, i, real->v2 ? "" : real->controllers);
		// What the group above has, the mount's root has: a cpuset's root always has CPUs.
		if (hierarchy_listed(real->controllers, "cpuset") && !real->v2)
			for (int file = 0; file < 2; file++) {
				const char *name = file ? "cpuset.mems" : "cpuset.cpus";
				char *text = file_read(&host->arena, AT_FDCWD, arena_printf(&host->arena, "%s/%s", real->top, name),
						       FILE_SMALL, NULL, &host->err);
				CU_ASSERT_EQUAL(file_put(AT_FDCWD, arena_printf(&host->arena, "%s/%s", own_folder(host, i), name),
							 text, &host->err),
						0);
			}
	}
	host->cgroup = (struct cgroup){ .arena = &host->arena, .v2 = -1, .keeper = -1 };
	CU_ASSERT_EQUAL_FATAL(hierarchy_parse(&host->cgroup, mounts, own, &host->err), 0);
	CU_ASSERT_EQUAL(host->cgroup.count, host->real.count);
	return true;
}

void host_end(struct host *host)
{
	cgroup_close(&host->cgroup);
	for (size_t i = 0; i < host->real.count && host->cgroup.count; i++) {
		int result = rmdir(own_folder(host, i)); // fails where anything was left in it
		CU_ASSERT_EQUAL(result, 0);
	}
	arena_free(&host->arena);
}

int host_spawn(struct host *host, int (*body)(void), pid_t *out_pid)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	if (host->cgroup.v2 >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (__u64)host->cgroup.hierarchies[host->cgroup.v2].join;
	}
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		alarm(PATIENCE_MS / 1000 * 3); // it doesn't outlive a test that was aborted by much
		_exit(cgroup_join(&host->cgroup, host->cgroup.v2 >= 0, NULL) < 0 ? 99 : body());
	}
	CU_ASSERT_TRUE_FATAL(pid > 0);
	if (out_pid)
		*out_pid = pid;
	return pidfd;
}

int host_wait(void)
{
	alarm(PATIENCE_MS / 1000 * 3); // a child's child has none
	while (pause() < 0)
		continue;
	return 0;
}

int host_ended(int pidfd)
{
	int status = -1;
	CU_ASSERT_EQUAL(proc_wait(pidfd, PATIENCE_MS, &status), 1);
	close(pidfd);
	return status;
}

const char *host_read(struct host *host, const char *controller, const char *file)
{
	for (size_t i = 0; i < host->cgroup.count; i++) {
		const struct cgroup_hierarchy *hierarchy = &host->cgroup.hierarchies[i];
		if (!hierarchy->folder || (*controller ? !hierarchy_listed(hierarchy->controllers, controller) : !hierarchy->v2))
			continue;
		const char *path = arena_printf(&host->arena, "%s/%s", hierarchy->folder, file);
		char *text = file_read(&host->arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
		if (text)
			str_clean(text);
		return text ? text : "";
	}
	return "";
}

bool host_until(struct host *host, bool (*holds)(struct host *host))
{
	int64_t deadline = proc_now_ms() + PATIENCE_MS;
	while (!holds(host) && proc_now_ms() < deadline)
		poll(NULL, 0, 1);
	return holds(host);
}

void host_below(struct host *host, const char *name)
{
	for (size_t i = 0; i < host->cgroup.count; i++) {
		struct cgroup_hierarchy below = host->cgroup.hierarchies[i];
		if (!below.folder)
			continue;
		below.mount = below.folder;
		below.folder = arena_printf(&host->arena, "%s/%s", below.folder, name);
		CU_ASSERT_TRUE(mkdir(below.folder, 0755) == 0 || errno == EEXIST);
		if (!below.v2 && hierarchy_listed(below.controllers, "cpuset"))
			CU_ASSERT_EQUAL(v1_cpuset_inherit(&host->arena, &below, &host->err), 0);
	}
}
