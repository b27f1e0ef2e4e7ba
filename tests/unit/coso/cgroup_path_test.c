// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_path_test.c - groups by cgroupsPath: where they are, what is used, what stays, and what a record tells; takes root
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/folder.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/file.h"
#include "shared/str.h"
#include "tests/unit/coso/cgroup_host.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH(text) ((struct cgroup_name){ .id = "one", .path = (text) })

static const struct spec_resources nothing;

// How many of the hierarchies have the group `path`, below their mounts.
static size_t present(struct host *host, const char *path)
{
	size_t found = 0;
	for (size_t i = 0; i < host->cgroup.count; i++)
		found += access(arena_printf(&host->arena, "%s%s", host->cgroup.hierarchies[i].mount, path), F_OK) == 0;
	return found;
}

static void make(struct host *host, const char *path)
{
	for (size_t i = 0; i < host->cgroup.count; i++)
		CU_ASSERT_EQUAL(mkdir(arena_printf(&host->arena, "%s%s", host->cgroup.hierarchies[i].mount, path), 0755), 0);
}

static void drop(struct host *host, const char *path)
{
	for (size_t i = 0; i < host->cgroup.count; i++)
		CU_ASSERT_EQUAL(rmdir(arena_printf(&host->arena, "%s%s", host->cgroup.hierarchies[i].mount, path)), 0);
}

TEST(cgroup_path, is_cleaned)
{
	static const char *const paths[][2] = { { "/a/b", "a/b" },   { "a//b/", "a/b" },   { "/a/../b", "b" },
						{ "../../x", "x" },  { "/../..", "" },     { "/", "" },
						{ "", "" },          { "./a/./b", "a/b" }, { "a/b/../../c", "c" },
						{ "a:b:c", "a:b:c" } };
	struct arena arena = { 0 };
	struct err err;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		CU_ASSERT_STRING_EQUAL(folder_clean(&arena, paths[i][0]), paths[i][1]);
	CU_ASSERT_EQUAL(folder_check(&PATH("/a/.."), &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cgroupsPath '/a/..'"));
	CU_ASSERT_EQUAL(folder_check(&PATH("/a"), &err), 0);
	arena_free(&arena);
}

TEST(cgroup_path, is_in_every_hierarchy_and_goes_with_what_was_made_for_it)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/b/../c/one"), &nothing, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/a/c/one"), host.cgroup.count);
	for (size_t i = 0; i < host.cgroup.count; i++) {
		CU_ASSERT_EQUAL(host.cgroup.hierarchies[i].made, 3);
		CU_ASSERT_TRUE(host.cgroup.hierarchies[i].join >= 0);
	}
	CU_ASSERT_EQUAL(host_ended(host_spawn(&host, getpid, NULL)) & 0xff, 0); // a process can be in all of them
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/a"), 0);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("../rel"), &nothing, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/rel"), host.cgroup.count);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

// All controllers of v2 are there, in a group deep down, so that others can read and set them.
TEST(cgroup_path, has_all_controllers)
{
	struct host host;
	if (!host_start(&host))
		return;
	int v2 = hierarchy_find_v2(&host.cgroup);
	if (v2 >= 0) {
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/b/one"), &nothing, &host.err), 0);
		struct strv names = str_split(&host.arena, host.cgroup.hierarchies[v2].controllers, ',');
		const char *there = arena_printf(&host.arena, " %s ", host_read(&host, "", "cgroup.controllers"));
		for (size_t i = 0; i < names.count; i++)
			CU_ASSERT_PTR_NOT_NULL(
				strstr(there, arena_printf(&host.arena, *names.items[i] ? " %s " : "%s", names.items[i])));
		CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	}
	host_end(&host);
}

TEST(cgroup_path, what_was_there_stays)
{
	struct host host;
	if (!host_start(&host))
		return;
	make(&host, "/pod");
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/pod/x/one"), &nothing, &host.err), 0);
	CU_ASSERT_EQUAL(host.cgroup.hierarchies[0].made, 2);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/pod"), host.cgroup.count);
	CU_ASSERT_EQUAL(present(&host, "/pod/x"), 0);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/pod"), &nothing, &host.err), 0);
	CU_ASSERT_EQUAL(host.cgroup.hierarchies[0].made, 0);
	int pidfd = host_spawn(&host, host_wait, NULL);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	CU_ASSERT_EQUAL(present(&host, "/pod"), host.cgroup.count);
	drop(&host, "/pod");
	host_end(&host);
}

TEST(cgroup_path, of_two_neighbours_the_last_takes_the_group_above_along)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct cgroup other = host.cgroup;
	CU_ASSERT_EQUAL(cgroup_plan(&other, &PATH("/a/two"), &nothing, &host.err), 0); // neither sees the other's
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/one"), &nothing, &host.err), 0);
	struct strv planned = { 0 }, made = { 0 };
	cgroup_record(&other, &host.arena, &planned);
	CU_ASSERT_EQUAL(cgroup_create(&other, &PATH("/a/two"), &nothing, &host.err), 0);
	cgroup_record(&other, &host.arena, &made);
	CU_ASSERT_TRUE(str_starts(planned.items[0], "2:") && str_starts(made.items[0], "1:"));
	cgroup_close(&other);
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/a/two"), host.cgroup.count);
	CU_ASSERT_EQUAL(cgroup_reopen(&host.arena, &planned, &other, &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_remove(&other, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(present(&host, "/a"), 0);
	host_end(&host);
}

TEST(cgroup_path, a_busy_or_frozen_group_is_refused)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/one"), &nothing, &host.err), 0);
	int pidfd = host_spawn(&host, host_wait, NULL);
	struct cgroup second = host.cgroup;
	for (size_t i = 0; i < second.count; i++)
		second.hierarchies[i].join = -1;
	while (!*host_read(&host, "", "cgroup.procs") && !*host_read(&host, "pids", "cgroup.procs"))
		continue;
	CU_ASSERT_EQUAL(cgroup_create(&second, &PATH("/a"), &nothing, &host.err), -1); // below counts too
	CU_ASSERT_EQUAL(host.err.code, EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "container's cgroup is not empty: 1 process(es) found"));
	CU_ASSERT_EQUAL(present(&host, "/a/one"), host.cgroup.count);
	CU_ASSERT_EQUAL(cgroup_signal(&host.cgroup, SIGKILL, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(pidfd), SIGKILL);
	if (cgroup_freeze(&host.cgroup, true, PATIENCE_MS, NULL, &host.err) == 0) {
		CU_ASSERT_EQUAL(cgroup_create(&second, &PATH("/a/one/below"), &nothing, &host.err), -1);
		CU_ASSERT_STRING_EQUAL(host.err.msg, "container's cgroup unexpectedly frozen");
		CU_ASSERT_EQUAL(present(&host, "/a/one/below"), 0);
		CU_ASSERT_EQUAL(cgroup_freeze(&host.cgroup, false, PATIENCE_MS, NULL, &host.err), 0);
	}
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}

TEST(cgroup_path, a_failure_leaves_nothing_and_takes_nothing)
{
	struct host host;
	if (!host_start(&host))
		return;
	make(&host, "/pod");
	struct spec_resources resources = { .pids_limit = INT64_MAX };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/pod/x/one"), &resources, &host.err), -1);
	CU_ASSERT_EQUAL(present(&host, "/pod/x"), 0);
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/pod"), &resources, &host.err), -1);
	CU_ASSERT_EQUAL(present(&host, "/pod"), host.cgroup.count);
	struct strv lines = { 0 };
	cgroup_record(&host.cgroup, &host.arena, &lines);
	CU_ASSERT_EQUAL(lines.count, 0);
	drop(&host, "/pod");
	host_end(&host);
}

TEST(cgroup_path, where_nothing_can_be_made_is_an_error)
{
	struct arena arena = { 0 };
	struct err err;
	struct cgroup cgroup = { .arena = &arena, .v2 = -1, .keeper = -1 };
	CU_ASSERT_EQUAL(cgroup_create(&cgroup, &PATH("/a"), &nothing, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "make the group '/a': no cgroup file system is mounted");
	cgroup.hierarchies[cgroup.count++] = (struct cgroup_hierarchy){ .mount = "/nowhere", .unusable = "it is of cheese" };
	CU_ASSERT_EQUAL(cgroup_create(&cgroup, &PATH("/a"), &nothing, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "make the group '/a': it is of cheese");
	cgroup.hierarchies[0].join = -1;
	CU_ASSERT_EQUAL(cgroup_create(&cgroup, &(struct cgroup_name){ .id = "one" }, &nothing, &err), 0);
	arena_free(&arena);
}

TEST(cgroup_path, a_record_is_read_strictly)
{
	static const char *const wrong[] = { "",
					     "1",
					     "1:memory",
					     "x:memory:/a/b",
					     "1:memory:a/b",
					     "1:memory:/a/../b",
					     "1:memory:/a//b",
					     "1:memory:/a/b/",
					     "2:memory:/a/b",
					     "-1:memory:/a/b",
					     "unit:system:",
					     "unit:nobody:a.scope",
					     "99999999999999999999:memory:/a/b" };
	char *right[] = { "unit:user:a-b.scope", "0:cpu,cpuacct:/a/b:c", "2:name=systemd:/a/b/c", "1::/a/b" };
	struct arena arena = { 0 };
	struct err err;
	struct cgroup cgroup;
	struct strv again = { 0 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct strv line = { 0 };
		strv_push(&arena, &line, wrong[i]);
		CU_ASSERT_EQUAL(cgroup_reopen(&arena, &line, &cgroup, &err), -1);
	}
	CU_ASSERT_EQUAL_FATAL(cgroup_reopen(&arena, &(struct strv){ right, 4 }, &cgroup, &err), 0);
	CU_ASSERT_STRING_EQUAL(cgroup.unit, "a-b.scope");
	CU_ASSERT_TRUE(cgroup.unit_user && cgroup.hierarchies[2].v2 && cgroup.hierarchies[1].made == 2);
	cgroup_record(&cgroup, &arena, &again);
	CU_ASSERT_EQUAL_FATAL(again.count, 4);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_STRING_EQUAL(again.items[i], right[i]);
	arena_free(&arena);
}

static int open_zero(void)
{
	return open("/dev/zero", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

// A group that outlives its containers has the rules of the last one.
TEST(cgroup_path, rules_for_devices_dont_pile_up)
{
	struct host host;
	if (!host_start(&host))
		return;
	const struct spec_device_rule none = { false, 'a', -1, -1, "rwm" }, all = { true, 'a', -1, -1, "rwm" };
	const struct spec_device_rule strict[] = { none, { true, 'c', 1, 3, "rwm" } }, loose[] = { none, all };
	make(&host, "/pod");
	for (int i = 0; i < 3; i++) {
		struct spec_resources resources = { .devices = (struct spec_device_rule *)(i == 1 ? strict : loose),
						    .device_count = 2 };
		CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/pod"), &resources, &host.err), 0);
		CU_ASSERT_EQUAL(host_ended(host_spawn(&host, open_zero, NULL)), (i == 1 ? EPERM : 0) << 8);
		cgroup_close(&host.cgroup);
		CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	}
	drop(&host, "/pod");
	host_end(&host);
}

// An exec finds its way in: into the group, one below it, or one below it in some hierarchies.
TEST(cgroup_path, a_group_is_joined_later_and_below)
{
	struct host host;
	if (!host_start(&host))
		return;
	struct strv lines = { 0 }, none = { 0 };
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/one"), &nothing, &host.err), 0);
	cgroup_record(&host.cgroup, &host.arena, &lines);
	cgroup_close(&host.cgroup);
	host_below(&host, "sub");
	struct host later = { .arena = host.arena };
	CU_ASSERT_EQUAL_FATAL(cgroup_reopen(&host.arena, &lines, &later.cgroup, &host.err), 0);
	pid_t pid = 0;
	CU_ASSERT_EQUAL(cgroup_open(&later.cgroup, &none, 0, &host.err), 0);
	int first = host_spawn(&later, host_wait, NULL);
	cgroup_close(&later.cgroup);
	char *below[] = { "/sub", "memory,pids:../sub", "nonsense:sub" };
	CU_ASSERT_EQUAL(cgroup_open(&later.cgroup, &(struct strv){ below, 1 }, 0, &host.err), 0);
	int second = host_spawn(&later, host_wait, &pid);
	cgroup_close(&later.cgroup);
	if (hierarchy_find_v2(&host.cgroup) >= 0) { // who is asked for init's group joins it there
		while (!*host_read(&host, "", "sub/cgroup.procs"))
			continue;
		CU_ASSERT_EQUAL(cgroup_open(&later.cgroup, &none, pid, &host.err), 0);
		int third = host_spawn(&later, host_wait, NULL);
		CU_ASSERT_EQUAL(str_split(&host.arena, host_read(&host, "", "sub/cgroup.procs"), ' ').count, 2);
		cgroup_close(&later.cgroup);
		CU_ASSERT_EQUAL(kill(pid, 0), 0);
		CU_ASSERT_EQUAL(cgroup_signal(&later.cgroup, SIGKILL, &host.err), 0);
		CU_ASSERT_EQUAL(host_ended(third), SIGKILL);
	}
	int v1 = hierarchy_find(&host.cgroup, "memory"); // v2's controllers have no groups of their own
	if (v1 >= 0 && !host.cgroup.hierarchies[v1].v2)
		CU_ASSERT_EQUAL(cgroup_open(&later.cgroup, &(struct strv){ below + 1, 1 }, 0, &host.err), 0);
	cgroup_close(&later.cgroup);
	CU_ASSERT_EQUAL(cgroup_open(&later.cgroup, &(struct strv){ below + 2, 1 }, 0, &host.err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(host.err.msg, "cgroup 'nonsense:sub'"));
	CU_ASSERT_EQUAL(cgroup_remove(&later.cgroup, PATIENCE_MS, &host.err), 0);
	CU_ASSERT_EQUAL(host_ended(first), SIGKILL);
	CU_ASSERT_EQUAL(host_ended(second), SIGKILL);
	host_end(&host);
}

TEST(cgroup_path, v2_is_given_away_and_v1_never)
{
	struct host host;
	if (!host_start(&host))
		return;
	CU_ASSERT_EQUAL(cgroup_create(&host.cgroup, &PATH("/a/one"), &nothing, &host.err), 0);
	CU_ASSERT_EQUAL(cgroup_delegate(&host.cgroup, 1234, 5678, &host.err), 0);
	for (size_t i = 0; i < host.cgroup.count; i++) {
		static const char *const files[] = { ".", "cgroup.procs", "cgroup.max.depth" };
		for (size_t j = 0; j < 3; j++) {
			const struct cgroup_hierarchy *hierarchy = &host.cgroup.hierarchies[i];
			struct stat st = { 0 };
			if (stat(arena_printf(&host.arena, "%s/%s", hierarchy->folder, files[j]), &st) == 0)
				CU_ASSERT_TRUE(hierarchy->v2 && j < 2 ? st.st_uid == 1234 && st.st_gid == 5678 :
									st.st_uid == 0 && st.st_gid == 0);
		}
	}
	CU_ASSERT_EQUAL(cgroup_remove(&host.cgroup, PATIENCE_MS, &host.err), 0);
	host_end(&host);
}
