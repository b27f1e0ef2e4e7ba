// SPDX-License-Identifier: GPL-2.0-or-later
// mountattr_test.c - what a bind mount is allowed, and with whom it shares events, as the kernel shows it
//
// Each check runs in a mount namespace of its own (and, as an ordinary user, in a user namespace): a tmpfs "v" with another, "b", below.
#include "coso/launch/mountattr.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// False: it can't be had here.
static bool prepare(void)
{
	return unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) == 0 &&
	       sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && sys_mount("v", "/tmp", "tmpfs", 0, NULL) == 0 &&
	       mkdir("/tmp/b", 0755) == 0 && mkdir("/tmp/to", 0755) == 0 && sys_mount("b", "/tmp/b", "tmpfs", 0, NULL) == 0 &&
	       sys_mount(NULL, "/tmp", NULL, MS_REC | MS_SHARED, NULL) == 0 && sys_mount("to", "/tmp/to", "tmpfs", 0, NULL) == 0 &&
	       sys_mount(NULL, "/tmp/to", NULL, MS_PRIVATE, NULL) == 0 && mkdir("/tmp/to/m", 0755) == 0;
}

// What mountinfo says of the mount at `path`: its options, and its optional fields without their numbers.
static void look(const char *path, char options[128], char peers[128])
{
	char line[1024], where[256], own[128], rest[512];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	options[0] = peers[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*d %*d %*s %*s %255s %127s %511[^\n]", where, own, rest) < 3 || strcmp(where, path) != 0)
			continue;
		snprintf(options, 128, "%s", own);
		*strstr(rest, "- ") = '\0';
		char *to = peers;
		for (const char *c = rest; *c; c++) {
			if (*c < '0' || *c > '9')
				*to++ = *c;
		}
		*to = '\0';
	}
	if (file)
		fclose(file);
}

static void check(const char *path, const char *options, const char *peers)
{
	char seen_options[128], seen_peers[128];
	look(path, seen_options, seen_peers);
	if (strcmp(seen_options, options) != 0 || strcmp(seen_peers, peers) != 0)
		fprintf(stderr, "%s: '%s' '%s' instead of '%s' '%s'\n", path, seen_options, seen_peers, options, peers);
	CU_ASSERT_STRING_EQUAL(seen_options, options);
	CU_ASSERT_STRING_EQUAL(seen_peers, peers);
}

// Binds "v" with the attributes of `spec`, and compares the mount itself and the one below.
static void bind(const struct spec_mount *spec, bool foreign, const char *const top[2], const char *const below[2])
{
	own_fd int tree = sys_open_tree(AT_FDCWD, "/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	CU_ASSERT_EQUAL(mountattr_bind(tree, spec, foreign, NULL), 0);
	CU_ASSERT_EQUAL(sys_move_mount(tree, "", AT_FDCWD, "/tmp/to/m", MOVE_MOUNT_F_EMPTY_PATH), 0);
	check("/tmp/to/m", top[0], top[1]);
	check("/tmp/to/m/b", below[0], below[1]);
	CU_ASSERT_EQUAL(sys_umount("/tmp/to/m", MNT_DETACH), 0);
}

static void attributes(void)
{
	static const struct {
		uint64_t set, clear, deep_set, deep_clear;
		const char *top, *below;
	} cases[] = {
		{ 0, 0, 0, 0, "rw,relatime", "rw,relatime" },
		{ MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0, 0, 0, "ro,nodev,relatime", "rw,relatime" },
		{ 0, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0, "ro,noexec,relatime", "ro,noexec,relatime" },
		{ MOUNT_ATTR_NOSUID, 0, MOUNT_ATTR_RDONLY, 0, "ro,nosuid,relatime", "ro,relatime" },
		{ MOUNT_ATTR_RDONLY, 0, 0, MOUNT_ATTR_RDONLY, "rw,relatime", "rw,relatime" }, // the tree wins
		{ MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0, "rw,noatime", "rw,relatime" },
		{ MOUNT_ATTR_NOATIME, 0, 0, 0, "rw,noatime", "rw,relatime" },
		{ MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, 0, 0, "rw", "rw,relatime" },
		{ MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, "rw", "rw" },
		{ MOUNT_ATTR_NODIRATIME, 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, "rw,noatime,nodiratime", "rw,noatime" },
		{ 0, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NOSYMFOLLOW, 0, "rw,relatime,nosymfollow", "rw,relatime,nosymfollow" },
	};
	if (!prepare())
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct spec_mount spec = { .attr_set = cases[i].set,
						 .attr_clear = cases[i].clear,
						 .deep_set = cases[i].deep_set,
						 .deep_clear = cases[i].deep_clear };
		bind(&spec, false, (const char *const[]){ cases[i].top, "" }, (const char *const[]){ cases[i].below, "" });
	}
}

TEST(mountattr, the_mount_and_the_tree_below_get_what_they_are_to_have)
{
	unit_in_child(attributes);
}

static const struct {
	unsigned long flags;
	bool foreign;
	const char *top, *below;
} sharing[] = {
	{ 0, false, "", "" },
	{ MS_PRIVATE, false, "", "" },
	{ MS_PRIVATE | MS_REC, true, "", "" },
	{ MS_SLAVE, false, "master: ", "master: " },
	{ MS_SLAVE | MS_REC, true, "master: ", "master: " },
	{ MS_SHARED, false, "shared: ", "shared: " },
	{ MS_SHARED | MS_REC, false, "shared: ", "shared: " },
	{ MS_SHARED, true, "shared: master: ", "master: " },
	{ MS_SHARED | MS_REC, true, "shared: master: ", "shared: master: " },
	{ MS_UNBINDABLE, false, "unbindable ", "" },
	{ MS_UNBINDABLE | MS_REC, false, "unbindable ", "unbindable " },
};

static size_t which;

static void propagation(void)
{
	const struct spec_mount spec = { .propagation = sharing[which].flags };
	if (prepare())
		bind(&spec, sharing[which].foreign, (const char *const[]){ "rw,relatime", sharing[which].top },
		     (const char *const[]){ "rw,relatime", sharing[which].below });
}

TEST(mountattr, nothing_stays_a_peer_of_the_hosts_unless_that_was_asked_for)
{
	for (which = 0; which < sizeof(sharing) / sizeof(sharing[0]); which++)
		unit_in_child(propagation);
}

TEST(mountattr, a_new_mount_has_both)
{
	const struct spec_mount spec = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME, .deep_set = MOUNT_ATTR_RDONLY };
	CU_ASSERT_EQUAL(mountattr_new(&spec), MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME | MOUNT_ATTR_RDONLY);
	CU_ASSERT_TRUE(mountattr_is_readonly(&spec));
	const struct spec_mount other = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME,
					  .deep_set = MOUNT_ATTR_STRICTATIME,
					  .deep_clear = MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME };
	CU_ASSERT_EQUAL(mountattr_new(&other), MOUNT_ATTR_STRICTATIME);
	CU_ASSERT_FALSE(mountattr_is_readonly(&other));
}
