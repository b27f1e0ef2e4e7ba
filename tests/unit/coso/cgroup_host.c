// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_host.c - real groups of this host for tests
#include "tests/unit/coso/cgroup_host.h"

#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/v2.h"
#include "shared/file.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
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
