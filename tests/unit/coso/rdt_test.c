// SPDX-License-Identifier: GPL-2.0-or-later
// rdt_test.c - classes and monitoring groups, in a folder that looks like resctrl's
#include "coso/launch/rdt.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/path.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	struct arena arena;
	char root[32];
};

static const char *at(struct tree *tree, const char *path)
{
	return arena_printf(&tree->arena, "%s/%s", tree->root, path);
}

static void put(struct tree *tree, const char *path, const char *text)
{
	own_fd int fd = open(at(tree, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CU_ASSERT_EQUAL(fd_write_full(fd, text, strlen(text)), 0);
}

static const char *get(struct tree *tree, const char *path)
{
	const char *text = file_read(&tree->arena, AT_FDCWD, at(tree, path), FILE_SMALL, NULL, NULL);
	return text ? text : "(none)";
}

static bool is_there(struct tree *tree, const char *path)
{
	return access(at(tree, path), F_OK) == 0;
}

// With what the kernel itself puts into a new group.
static void fill(struct tree *tree, const char *group)
{
	put(tree, arena_printf(&tree->arena, "%s/tasks", group), "");
	put(tree, arena_printf(&tree->arena, "%s/schemata", group), "");
	CU_ASSERT_EQUAL(path_mkdirs(at(tree, arena_printf(&tree->arena, "%s/mon_groups", group)), 0755, NULL), 0);
}

static void make_tree(struct tree *tree)
{
	*tree = (struct tree){ .root = "/tmp/coso-rdt.XXXXXX" };
	if (!mkdtemp(tree->root))
		abort();
	fill(tree, ".");
	put(tree, "schemata", "    MB:0=100;1=100\n    L3:0=0ff;1=0ff\n");
	CU_ASSERT_EQUAL(mkdir(at(tree, "gold"), 0755), 0);
	fill(tree, "gold");
	put(tree, "gold/schemata", "    MB:0= 50;1=100\n    L3:0=00f;1=0F0\nL3CODE:0=f\n");
	CU_ASSERT_EQUAL(mkdir(at(tree, "info"), 0755), 0);
	put(tree, "info/last_cmd_status", "Mask out of range\n");
}

static void remove_tree(struct tree *tree)
{
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, tree->root, NULL), 0);
	arena_free(&tree->arena);
}

TEST(rdt, found_where_it_is_mounted)
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	const char *found = rdt_find(&arena,
				     "22 1 0:20 / /sys rw - sysfs sysfs rw\n"
				     "31 22 0:26 / /sys/fs/res\\040ctrl rw,relatime shared:9 - resctrl resctrl rw\n",
				     &err);
	CU_ASSERT(found && strcmp(found, "/sys/fs/res ctrl") == 0);
	CU_ASSERT_PTR_NULL(rdt_find(&arena, "22 1 0:20 / /resctrl rw - tmpfs resctrl rw\n", &err));
	CU_ASSERT_EQUAL(err.code, ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no resctrl file system is mounted"));
	if (access("/sys/fs/resctrl", F_OK) < 0)
		CU_ASSERT_PTR_NULL(rdt_find(&arena, NULL, &err));
}

TEST(rdt, a_class_of_its_own_is_made_set_and_removed)
{
	struct tree tree;
	struct err err = { 0 };
	char *more[] = { (char *)"L2:0=f", (char *)"L3CODE:0=1", NULL };
	struct spec_rdt spec = { .l3_cache = "L3:0=f;1=f", .memory_bandwidth = "MB:0=20", .schemata = { more, 2 } };
	make_tree(&tree);
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), 0);
	CU_ASSERT(rdt.made && is_there(&tree, "box"));
	fill(&tree, "box");
	CU_ASSERT_EQUAL(rdt_set(&rdt, &err), 0);
	CU_ASSERT_STRING_EQUAL(get(&tree, "box/schemata"), "L3:0=f;1=f\nMB:0=20\nL2:0=f\nL3CODE:0=1\n");
	CU_ASSERT_EQUAL(rdt_assign(&rdt, 4711, &err), 0);
	CU_ASSERT_STRING_EQUAL(get(&tree, "box/tasks"), "4711");
	CU_ASSERT_STRING_EQUAL(get(&tree, "tasks"), "");

	struct rdt again = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&again, &err), -1);
	CU_ASSERT_EQUAL(err.code, EEXIST);
	CU_ASSERT_EQUAL(rdt_remove(&again, &err), -1); // it isn't empty, as resctrl's would be
	CU_ASSERT_EQUAL(err.code, ENOTEMPTY);
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, at(&tree, "box"), NULL), 0);
	CU_ASSERT_EQUAL(mkdir(at(&tree, "box"), 0755), 0);
	CU_ASSERT_EQUAL(rdt_remove(&again, &err), 0);
	CU_ASSERT_FALSE(is_there(&tree, "box"));
	CU_ASSERT_EQUAL(rdt_remove(&again, &err), 0);
	remove_tree(&tree);
}

TEST(rdt, without_a_schema_none_is_written)
{
	struct tree tree;
	struct spec_rdt spec = { .class = "", .l3_cache = "" };
	make_tree(&tree);
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, NULL), 0);
	CU_ASSERT_EQUAL(rdt_set(&rdt, NULL), 0); // there is no file that it could write
	CU_ASSERT(is_there(&tree, "box"));
	remove_tree(&tree);
}

TEST(rdt, what_the_hardware_refuses_is_undone)
{
	struct tree tree;
	struct err err = { 0 };
	struct spec_rdt spec = { .class = "new", .l3_cache = "L3:0=0", .monitoring = true };
	make_tree(&tree);
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), -1); // here no kernel makes mon_groups
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "intelRdt.enableMonitoring"));
	CU_ASSERT(!rdt.made && !is_there(&tree, "new"));
	spec.monitoring = false;
	rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), 0);
	CU_ASSERT_EQUAL(rdt_set(&rdt, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "intelRdt: set 'L3:0=0'"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "(Mask out of range)"));
	CU_ASSERT(!rdt.made && !is_there(&tree, "new"));
	CU_ASSERT_EQUAL(rdt_assign(&rdt, 1, &err), -1);
	remove_tree(&tree);
}

TEST(rdt, a_named_class_stays)
{
	struct tree tree;
	struct err err = { 0 };
	struct spec_rdt spec = { .class = "gold", .monitoring = true };
	make_tree(&tree);
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), 0);
	CU_ASSERT(!rdt.made && is_there(&tree, "gold/mon_groups/box"));
	put(&tree, "gold/mon_groups/box/tasks", "");
	CU_ASSERT_EQUAL(rdt_set(&rdt, &err), 0);
	CU_ASSERT_EQUAL(rdt_assign(&rdt, 12, &err), 0);
	CU_ASSERT_STRING_EQUAL(get(&tree, "gold/tasks"), "12");
	CU_ASSERT_STRING_EQUAL(get(&tree, "gold/mon_groups/box/tasks"), "12");
	unlink(at(&tree, "gold/mon_groups/box/tasks"));
	CU_ASSERT_EQUAL(rdt_remove(&rdt, &err), 0);
	CU_ASSERT(is_there(&tree, "gold") && !is_there(&tree, "gold/mon_groups/box"));

	spec = (struct spec_rdt){ .class = "silver" };
	rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "intelRdt.closID 'silver'"));
	spec.memory_bandwidth = "MB:0=10";
	CU_ASSERT_EQUAL(rdt_make(&rdt, &err), 0);
	CU_ASSERT(rdt.made && is_there(&tree, "silver"));
	CU_ASSERT_EQUAL(rdt_remove(&rdt, &err), 0);
	CU_ASSERT(is_there(&tree, "silver"));
	remove_tree(&tree);
}

TEST(rdt, the_default_class)
{
	struct tree tree;
	struct spec_rdt spec = { .class = "/" };
	make_tree(&tree);
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	CU_ASSERT_STRING_EQUAL(rdt.group, tree.root);
	CU_ASSERT_EQUAL(rdt_make(&rdt, NULL), 0);
	CU_ASSERT_EQUAL(rdt_assign(&rdt, 7, NULL), 0);
	CU_ASSERT_STRING_EQUAL(get(&tree, "tasks"), "7");
	CU_ASSERT_EQUAL(rdt_remove(&rdt, NULL), 0);
	CU_ASSERT(is_there(&tree, "tasks"));
	remove_tree(&tree);
}

static int make_gold(struct spec_rdt spec, struct err *err)
{
	struct tree tree;
	make_tree(&tree);
	spec.class = "gold";
	struct rdt rdt = rdt_locate(&tree.arena, tree.root, &spec, "box");
	int rc = rdt_make(&rdt, err);
	CU_ASSERT_EQUAL(rdt_set(&rdt, NULL), 0);
	CU_ASSERT_STRING_EQUAL(get(&tree, "gold/schemata"), "    MB:0= 50;1=100\n    L3:0=00f;1=0F0\nL3CODE:0=f\n");
	remove_tree(&tree);
	return rc;
}

TEST(rdt, a_class_that_is_there_has_to_have_the_schema)
{
	char *code[] = { (char *)"L3CODE:0=f", NULL };
	CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .l3_cache = "L3:0=f;1=f0" }, NULL), 0);
	CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .l3_cache = "L3:1=00f0" }, NULL), 0);
	CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .memory_bandwidth = "MB:1=100;0=50" }, NULL), 0);
	CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .l3_cache = "L3:0=f", .schemata = { code, 1 } }, NULL), 0);

	static const char *const wrong[] = { "L3:0=ff", "L3:0=f;1=f", "L3:2=f", "L3:0=f;2=f", "L2:0=f",  "L3CODE:1=f",
					     "L3:",     "L3",         "L3:0",   "L3:=f",      "L3:00=f", "L3:0=0" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err err = { 0 };
		CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .l3_cache = wrong[i] }, &err), -1);
		CU_ASSERT_EQUAL(err.code, EEXIST);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "intelRdt.closID 'gold'"));
	}
	struct err err = { 0 };
	code[0] = (char *)"L3CODE:0=e";
	CU_ASSERT_EQUAL(make_gold((struct spec_rdt){ .l3_cache = "L3:0=f", .schemata = { code, 1 } }, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "'L3CODE:0=e'"));
}
