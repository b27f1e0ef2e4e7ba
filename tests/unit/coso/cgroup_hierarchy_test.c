// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_hierarchy_test.c - where groups can be made, on made-up hosts: v1, v2, hybrid, read-only, delegated
#include "coso/cgroup/hierarchy.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A tree in a temporary folder that looks like mounted hierarchies.
struct tree {
	struct arena arena;
	const char *root;
	struct cgroup cgroup;
	struct err err;
};

static void tree_start(struct tree *tree)
{
	char name[] = "/tmp/coso-unit-XXXXXX";
	memset(tree, 0, sizeof(*tree));
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(name));
	CU_ASSERT_EQUAL(chmod(name, 0755), 0);
	tree->root = arena_strdup(&tree->arena, name);
	tree->cgroup.arena = &tree->arena;
}

static void tree_end(struct tree *tree)
{
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, tree->root, NULL), 0);
	arena_free(&tree->arena);
}

static void tree_file(struct tree *tree, const char *path, const char *text)
{
	own_fd int fd = open(arena_printf(&tree->arena, "%s%s", tree->root, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CU_ASSERT_EQUAL(fd_write_full(fd, text, strlen(text)), 0);
}

// A group: a folder with cgroup.procs, and with cgroup.controllers if `controllers` isn't NULL.
static void tree_group(struct tree *tree, const char *path, const char *controllers)
{
	CU_ASSERT_EQUAL(path_mkdirs(arena_printf(&tree->arena, "%s%s", tree->root, path), 0755, &tree->err), 0);
	tree_file(tree, arena_printf(&tree->arena, "%s/cgroup.procs", path), "");
	if (controllers)
		tree_file(tree, arena_printf(&tree->arena, "%s/cgroup.controllers", path), controllers);
}

static int tree_parse(struct tree *tree, const char *mountinfo, const char *own)
{
	// '@' stands for the temporary folder.
	struct strv pieces = str_split(&tree->arena, mountinfo, '@');
	const char *text = pieces.items[0];
	for (size_t i = 1; i < pieces.count; i++)
		text = arena_printf(&tree->arena, "%s%s%s", text, tree->root, pieces.items[i]);
	return hierarchy_parse(&tree->cgroup, text, own, &tree->err);
}

static const char *below(const struct tree *tree, const char *path)
{
	return path + strlen(tree->root);
}

TEST(cgroup_hierarchy, v1_with_joined_controllers_and_a_name)
{
	struct tree tree;
	tree_start(&tree);
	tree_group(&tree, "/cpu,cpuacct", NULL);
	tree_group(&tree, "/memory", NULL);
	tree_group(&tree, "/systemd", NULL);
	CU_ASSERT_EQUAL(tree_parse(&tree,
				   "20 1 0:3 / /proc rw - proc proc rw\n"
				   "32 31 0:29 / @/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
				   "35 31 0:32 / @/memory rw - cgroup cgroup rw,memory\n"
				   "40 31 0:37 / @/systemd rw - cgroup cgroup rw,xattr,name=systemd\n",
				   "4:memory:/user/me\n2:cpu,cpuacct:/\n1:name=systemd:/user.slice/a:b\n3:pids:/\n"),
			0);
	CU_ASSERT_EQUAL_FATAL(tree.cgroup.count, 3);
	int memory = hierarchy_find(&tree.cgroup, "memory"), cpu = hierarchy_find(&tree.cgroup, "cpuacct");
	CU_ASSERT_EQUAL_FATAL(memory, 0);
	CU_ASSERT_EQUAL_FATAL(cpu, 1);
	CU_ASSERT_STRING_EQUAL(below(&tree, tree.cgroup.hierarchies[memory].top), "/memory");
	CU_ASSERT_STRING_EQUAL(tree.cgroup.hierarchies[memory].own, "/user/me");
	CU_ASSERT_STRING_EQUAL(tree.cgroup.hierarchies[2].own, "/user.slice/a:b");
	CU_ASSERT_EQUAL(tree.cgroup.hierarchies[cpu].join, -1);
	CU_ASSERT_EQUAL(hierarchy_find(&tree.cgroup, "cpua"), -1);
	CU_ASSERT_EQUAL(hierarchy_find_v2(&tree.cgroup), -1);
	CU_ASSERT_EQUAL(hierarchy_find(&tree.cgroup, "pids"), -1); // the kernel has it, nobody mounted it
	tree_end(&tree);
}

TEST(cgroup_hierarchy, v2_controllers_are_those_handed_down)
{
	struct tree tree;
	tree_start(&tree);
	tree_group(&tree, "/a\\b\t", "cpu io memory pids\n");
	CU_ASSERT_EQUAL(tree_parse(&tree, "41 31 0:38 / @/a\\134b\\011 rw - cgroup2 cgroup2 rw,nsdelegate\n", "0::/\n"), 0);
	CU_ASSERT_EQUAL_FATAL(tree.cgroup.count, 1);
	CU_ASSERT_STRING_EQUAL(tree.cgroup.hierarchies[0].controllers, "cpu,io,memory,pids");
	CU_ASSERT_STRING_EQUAL(below(&tree, tree.cgroup.hierarchies[0].mount), "/a\\b\t");
	CU_ASSERT_EQUAL(hierarchy_find(&tree.cgroup, "pids"), 0);
	CU_ASSERT_EQUAL(hierarchy_find_v2(&tree.cgroup), 0);
	tree_end(&tree);
}

TEST(cgroup_hierarchy, a_second_mount_serves_where_the_first_cannot)
{
	struct tree tree;
	tree_start(&tree);
	tree_group(&tree, "/good", NULL);
	CU_ASSERT_EQUAL(tree_parse(&tree,
				   "30 1 0:9 / @/gone rw - cgroup cgroup rw,pids\n"
				   "31 1 0:9 / @/good rw - cgroup cgroup rw,pids\n",
				   "8:pids:/\n"),
			0);
	CU_ASSERT_EQUAL(hierarchy_find(&tree.cgroup, "pids"), 0);
	CU_ASSERT_STRING_EQUAL(below(&tree, tree.cgroup.hierarchies[0].mount), "/good");
	tree_end(&tree);
}

TEST(cgroup_hierarchy, an_unusable_one_says_why)
{
	struct tree tree;
	tree_start(&tree);
	CU_ASSERT_EQUAL(tree_parse(&tree, "30 1 0:9 / @/gone rw - cgroup cgroup rw,blkio\n", "8:blkio:/\n"), 0);
	CU_ASSERT_EQUAL(hierarchy_find(&tree.cgroup, "blkio"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(hierarchy_why_missing(&tree.cgroup, "blkio"), "/gone' can't be used: No such file"));
	CU_ASSERT_PTR_NOT_NULL(strstr(hierarchy_why_missing(&tree.cgroup, "io"), "/gone' can't be used: No such file"));
	CU_ASSERT_STRING_EQUAL(hierarchy_why_missing(&tree.cgroup, "bogus"), "this kernel is built without it");
	tree_end(&tree);
}

TEST(cgroup_hierarchy, rubbish_is_passed_over)
{
	struct tree tree;
	tree_start(&tree);
	CU_ASSERT_EQUAL(tree_parse(&tree, " - cgroup\n- cgroup cgroup rw\n31 - cgroup2\n\n1 2 3 4 5 6 - cgroupfoo x y\n",
				   "8:pids\n9:pids:\n::\n0::relative\n:::/\n7:memory:/\n"),
			0);
	CU_ASSERT_EQUAL(tree.cgroup.count, 0);
	CU_ASSERT_EQUAL(tree_parse(&tree, "", ""), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(tree.err.msg, "no control groups"));
	tree_end(&tree);
}

TEST(cgroup_hierarchy, more_than_fit_are_passed_over)
{
	struct tree tree;
	tree_start(&tree);
	tree_group(&tree, "/all", NULL);
	const char *mounts = "", *own = "";
	for (int i = 0; i < CGROUP_HIERARCHIES_MAX + 4; i++) {
		mounts = arena_printf(&tree.arena, "%s3 1 0:9 / @/all rw - cgroup cgroup rw,name=n%d\n", mounts, i);
		own = arena_printf(&tree.arena, "%s%d:name=n%d:/\n", own, i + 1, i);
	}
	CU_ASSERT_EQUAL(tree_parse(&tree, mounts, own), 0);
	CU_ASSERT_EQUAL(tree.cgroup.count, CGROUP_HIERARCHIES_MAX);
	tree_end(&tree);
}

// What user 65534 finds on a systemd host: user@….service and what is below belongs to the user, what is above doesn't.
static int delegated_as_nobody(struct tree *tree)
{
	static const char mounts[] = "41 31 0:38 / @/v2 rw - cgroup2 cgroup2 rw\n"
				     "42 31 0:39 / @/pids rw - cgroup cgroup rw,pids\n";
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 10;
	if (tree_parse(tree, mounts, "0::/user.slice/user@7.service/app.slice/x.scope\n3:pids:/user.slice\n") < 0)
		return 11;
	if (strcmp(below(tree, tree->cgroup.hierarchies[0].top), "/v2/user.slice/user@7.service") != 0)
		return 12;
	if (hierarchy_find(&tree->cgroup, "memory") != 0 || hierarchy_find(&tree->cgroup, "io") != -1)
		return 13;
	if (!strstr(hierarchy_why_missing(&tree->cgroup, "io"), "is not delegated to"))
		return 14;
	if (hierarchy_find(&tree->cgroup, "pids") != 0)
		return 15;
	return strstr(tree->cgroup.hierarchies[1].unusable, "is delegated to user 65534") ? 0 : 16;
}

TEST(cgroup_hierarchy, an_ordinary_user_gets_the_topmost_delegated_group)
{
	struct tree tree;
	tree_start(&tree);
	if (geteuid() != 0) { // only root can make folders of two users; as root this runs
		tree_end(&tree);
		return;
	}
	tree_group(&tree, "/v2", "cpu io memory pids\n");
	tree_group(&tree, "/v2/user.slice", "memory pids\n");
	tree_group(&tree, "/v2/user.slice/user@7.service", "memory pids\n");
	tree_group(&tree, "/v2/user.slice/user@7.service/app.slice/x.scope", "memory\n");
	tree_group(&tree, "/pids/user.slice", NULL);
	const char *user = arena_printf(&tree.arena, "%s/v2/user.slice/user@7.service", tree.root);
	CU_ASSERT_EQUAL(chown(user, 65534, 65534), 0);
	// Groups may be made in this one, but no process be moved across it.
	CU_ASSERT_EQUAL(chown(arena_printf(&tree.arena, "%s/v2/user.slice", tree.root), 65534, 65534), 0);
	CU_ASSERT_EQUAL(chown(arena_printf(&tree.arena, "%s/cgroup.procs", user), 65534, 65534), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(delegated_as_nobody(&tree));
	int status = 0;
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	tree_end(&tree);
}
