// SPDX-License-Identifier: GPL-2.0-or-later
// user_test.c - users in hostile files
#include "coso/launch/user.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct root {
	char name[32];
	int fd;
};

static struct root make_root(const char *passwd, const char *group)
{
	struct root root = { .name = "/tmp/coso-user.XXXXXX" };
	if (!mkdtemp(root.name))
		abort();
	root.fd = open(root.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdirat(root.fd, "etc", 0755) < 0)
		abort();
	own_fd int etc = openat(root.fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (passwd && file_replace(etc, "passwd", passwd, strlen(passwd), 0644, NULL) < 0)
		abort();
	if (group && file_replace(etc, "group", group, strlen(group), 0644, NULL) < 0)
		abort();
	return root;
}

static void remove_root(struct root *root)
{
	unlinkat(root->fd, "etc/passwd", 0);
	unlinkat(root->fd, "etc/group", 0);
	unlinkat(root->fd, "etc", AT_REMOVEDIR);
	fd_close(&root->fd);
	CU_ASSERT_EQUAL(rmdir(root->name), 0);
}

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "short:x:5:5\n"
			     "1000:x:0:0::/:/bin/sh\n"
			     "me:x:1000:1001:Me:/home/me:/bin/sh\n"
			     "me:x:1:1::/:/bin/sh\n"
			     "bad:x:-1:0::/:/bin/sh\n"
			     "last:x:7:8::/last:/bin/sh";
static const char group[] =
	"root:x:0:\nteam:x:50:you,me,they\nmine:x:1001:me\nwheel:x:60:me\nbad:x:x:me\n2000:x:70:\nalmost:x:80:mee,m\n";

// Expects `text` to be uid:gid with so many further groups.
static void is_user(const char *text, uint32_t uid, uint32_t gid, size_t groups, const char *home)
{
	struct root root = make_root(passwd, group);
	struct user user = { 0 };
	CU_ASSERT_EQUAL(user_lookup(root.fd, text, &user, NULL), 0);
	CU_ASSERT_EQUAL(user.uid, uid);
	CU_ASSERT_EQUAL(user.gid, gid);
	CU_ASSERT_EQUAL(user.group_count, groups);
	CU_ASSERT_STRING_EQUAL(user.home, home);
	remove_root(&root);
}

TEST(user, names_and_numbers)
{
	is_user("", 0, 0, 0, "/root");
	is_user("root", 0, 0, 0, "/root");
	is_user("me", 1000, 1001, 2, "/home/me"); // team and wheel; mine is the gid already
	is_user("1000", 1000, 1001, 2, "/home/me");
	is_user("me:", 1000, 1001, 2, "/home/me");
	is_user("me:team", 1000, 50, 0, "/home/me");
	is_user("me:2000", 1000, 2000, 0, "/home/me"); // a number, whatever the file calls 2000
	is_user(":team", 0, 50, 0, "/root");
	is_user("last", 7, 8, 0, "/last");
	is_user("4711", 4711, 0, 0, "");
	is_user("4294967294:4294967294", 4294967294U, 4294967294U, 0, "");
}

TEST(user, refusals)
{
	static const char *const wrong[] = { "nobody",    "bad",    "short",         "4294967295", "99999999999",
					     "me:nobody", "me:bad", "me:4294967295", "-1",         "+1",
					     "0x0",       " me",    "me ",           "me:team:x",  "ME" };
	struct root root = make_root(passwd, group);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct user user = { .uid = 77 };
		struct err err = { 0 };
		CU_ASSERT_EQUAL(user_lookup(root.fd, wrong[i], &user, &err), -1);
		CU_ASSERT_EQUAL(user.uid, 77);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "--user"));
	}
	remove_root(&root);
}

TEST(user, long_lines_are_skipped_and_files_may_be_missing)
{
	const size_t size = 100000;
	char *text = malloc(size + 64);
	if (!text)
		abort();
	memset(text, 'x', size);
	memcpy(text + size, "\nme:x:5:6::/h:/bin/sh\n", sizeof("\nme:x:5:6::/h:/bin/sh\n"));
	struct root root = make_root(text, NULL);
	struct user user = { 0 };
	free(text);
	CU_ASSERT_EQUAL(user_lookup(root.fd, "me", &user, NULL), 0);
	CU_ASSERT_EQUAL(user.uid, 5);
	CU_ASSERT_EQUAL(user.group_count, 0);
	remove_root(&root);
	root = make_root(NULL, NULL);
	CU_ASSERT_EQUAL(user_lookup(root.fd, "me", &user, NULL), -1);
	CU_ASSERT_EQUAL(user_lookup(root.fd, "5:6", &user, NULL), 0);
	remove_root(&root);
}
