// SPDX-License-Identifier: GPL-2.0-or-later
// path_test.c - paths below folders that somebody else controls
//
// Each test has a folder with "root", which the attacker controls, and "canary", which must stay as it is.
#include "shared/path.h"

#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/shared/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[64];

static int make_root(int *dir, const char *line)
{
	*dir = folder_make(top, sizeof(top));
	folder_shell(top, "mkdir root canary && echo secret >canary/file");
	folder_shell(top, line);
	return openat(*dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

// Ends a test: the canary is as it was.
static void check_canary(int *dir)
{
	folder_shell(top, "test \"$(ls -A canary)\" = file && test \"$(cat canary/file)\" = secret");
	folder_remove(dir, top);
}

static bool same_file(int fd, int dir, const char *name)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
	       a.st_dev == b.st_dev;
}

TEST(path, open_in_keeps_links_inside)
{
	int dir = -1;
	own_fd int root =
		make_root(&dir, "cd root; mkdir etc run; echo inside >etc/passwd; ln -s /etc/passwd absolute;"
				"ln -s ../../../../etc/passwd dots; ln -s /run var; ln -s ../canary out; ln -s a b; ln -s b a");
	static const char *const same[] = { "etc/passwd", "/etc/passwd",       "absolute",
					    "dots",       "/../../etc/passwd", "etc/../etc//./passwd" };
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		own_fd int fd = path_open_in(root, same[i], O_RDONLY, 0, NULL);
		CU_ASSERT_TRUE(same_file(fd, dir, "root/etc/passwd"));
		CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	}
	own_fd int var = path_open_in(root, "var", O_PATH | O_DIRECTORY, 0, NULL); // images have /var/run -> /run
	CU_ASSERT_TRUE(same_file(var, dir, "root/run"));
	struct err err = { 0 };
	CU_ASSERT_EQUAL(path_open_in(root, "out/file", O_RDONLY, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(path_open_in(root, "a", O_RDONLY, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, ELOOP);
	check_canary(&dir);
}

TEST(path, open_in_refuses_magic_links)
{
	own_fd int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err err = { 0 };
	CU_ASSERT_EQUAL(path_open_in(slash, "proc/self/root/etc", O_PATH, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, ELOOP);
	CU_ASSERT_EQUAL(path_open_in(slash, "proc/self/fd/0", O_PATH, 0, &err), -1);
}

TEST(path, open_beneath_follows_nothing)
{
	int dir = -1;
	own_fd int root =
		make_root(&dir, "cd root; mkdir etc; echo x >etc/passwd; ln -s etc link; ln -s /etc absolute; ln -s ../canary out");
	own_fd int fd = path_open_beneath(root, "etc/passwd", O_RDONLY, 0, NULL);
	CU_ASSERT_TRUE(fd >= 0);
	static const char *const wrong[] = { "link/passwd",    "absolute/passwd", "out/file",
					     "../canary/file", "/etc/passwd",     "etc/../../canary" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(path_open_beneath(root, wrong[i], O_RDONLY, 0, NULL), -1);
	own_fd int made = path_open_beneath(root, "new", O_CREAT | O_EXCL | O_WRONLY, 0640, NULL);
	struct stat st = { 0 };
	CU_ASSERT_EQUAL(fstat(made, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
	check_canary(&dir);
}

TEST(path, mkdirs_in_makes_inside_only)
{
	int dir = -1;
	own_fd int root = make_root(
		&dir,
		"cd root; mkdir run; ln -s /run var; ln -s ../../canary out; ln -s /nowhere dangling; ln -s loop loop; : >file");
	own_fd int a = path_mkdirs_in(root, "/a/b//c/./d", NULL);
	CU_ASSERT_TRUE(same_file(a, dir, "root/a/b/c/d"));
	own_fd int again = path_mkdirs_in(root, "/a/b/c/d", NULL);
	CU_ASSERT_TRUE(again >= 0);
	own_fd int linked = path_mkdirs_in(root, "/var/lock/x", NULL);
	CU_ASSERT_TRUE(same_file(linked, dir, "root/run/lock/x"));
	own_fd int dots = path_mkdirs_in(root, "/new/../../../newer", NULL);
	CU_ASSERT_TRUE(same_file(dots, dir, "root/newer"));
	own_fd int out = path_mkdirs_in(root, "/out/x", NULL); // "/canary" in the root, which wasn't there
	CU_ASSERT_TRUE(same_file(out, dir, "root/canary/x"));
	own_fd int dangling = path_mkdirs_in(root, "/dangling/x", NULL);
	CU_ASSERT_TRUE(same_file(dangling, dir, "root/nowhere/x"));
	struct err err = { 0 };
	CU_ASSERT_EQUAL(path_mkdirs_in(root, "/loop/x", &err), -1);
	CU_ASSERT_EQUAL(err.code, ELOOP);
	CU_ASSERT_EQUAL(path_mkdirs_in(root, "/file/x", &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOTDIR);
	char large[5000];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	CU_ASSERT_EQUAL(path_mkdirs_in(root, large, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENAMETOOLONG);
	check_canary(&dir);
}

TEST(path, mountpoint_in_is_a_file_or_a_folder)
{
	int dir = -1;
	own_fd int root =
		make_root(&dir, "cd root; mkdir etc; echo keep >etc/hosts; ln -s /etc/hosts link; ln -s ../../canary/file out;"
				"ln -s /etc/made dangling; mkfifo fifo");
	own_fd int made = path_mountpoint_in(root, "/deep/er/file", false, NULL);
	CU_ASSERT_TRUE(same_file(made, dir, "root/deep/er/file"));
	own_fd int there = path_mountpoint_in(root, "/link", false, NULL);
	CU_ASSERT_TRUE(same_file(there, dir, "root/etc/hosts"));
	own_fd int folder = path_mountpoint_in(root, "/new", true, NULL);
	CU_ASSERT_TRUE(same_file(folder, dir, "root/new"));
	own_fd int dangling = path_mountpoint_in(root, "/dangling", false, NULL);
	CU_ASSERT_TRUE(same_file(dangling, dir, "root/etc/made"));
	own_fd int fifo = path_mountpoint_in(root, "/fifo", false, NULL); // opened as a path: nothing blocks
	CU_ASSERT_TRUE(fifo >= 0);
	own_fd int out = path_mountpoint_in(root, "/out", false, NULL);
	CU_ASSERT_TRUE(same_file(out, dir, "root/canary/file"));
	folder_shell(top, "test \"$(cat root/etc/hosts)\" = keep && test ! -s root/deep/er/file");
	check_canary(&dir);
}

TEST(path, target_in_tells_how_it_got_there)
{
	int dir = -1;
	own_fd int root = make_root(&dir, "cd root; mkdir -p etc run; : >etc/hosts; ln -s /etc link; ln -s /etc/made dangling;"
					  "ln -s run/a chain; ln -s loop loop; ln -s ../../canary/new out; : >file");
	static const struct {
		const char *path, *real;
		unsigned int how;
		bool made, linked;
	} right[] = {
		{ "/etc/hosts", "etc/hosts", PATH_FILE | PATH_PLAIN, false, false },
		{ "/etc/hosts", "etc/hosts", 0, false, false }, // of the other kind: what is there stays
		{ "/link/hosts", "etc/hosts", PATH_FILE, false, true },
		{ "/dangling", "etc/made", PATH_FILE, true, true },
		{ "/chain", "run/a", 0, true, true },
		{ "/new/er", "new/er", PATH_PLAIN, true, false },
		{ "/last", "last", PATH_FILE | PATH_PLAIN, true, false },
		{ "/link", "link", PATH_NOFOLLOW, false, false },
		{ "/link/made-too", "etc/made-too", PATH_FILE | PATH_NOFOLLOW, true, true },
		{ "/out", "canary/new", 0, true, true }, // in the root
		{ "/", ".", PATH_PLAIN, false, false },
	};
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		struct path_target target = { .fd = -1 };
		struct err err = { 0 };
		char real[64];
		snprintf(real, sizeof(real), "root/%s", right[i].real);
		CU_ASSERT_EQUAL(path_target_in(root, right[i].path, right[i].how, &target, &err), 0);
		CU_ASSERT_TRUE(same_file(target.fd, dir, real));
		CU_ASSERT_EQUAL(target.made, right[i].made);
		CU_ASSERT_EQUAL(target.linked, right[i].linked);
		fd_close(&target.fd);
	}
	static const struct {
		const char *path;
		unsigned int how;
		int code;
	} wrong[] = {
		{ "/link/hosts", PATH_FILE | PATH_PLAIN, ELOOP },
		{ "/link", PATH_PLAIN, ELOOP },
		{ "/link/missing", PATH_PLAIN, ELOOP },
		{ "/loop", 0, ELOOP },
		{ "/file/x", 0, ENOTDIR },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct path_target target = { .fd = -1 };
		struct err err = { 0 };
		CU_ASSERT_EQUAL(path_target_in(root, wrong[i].path, wrong[i].how, &target, &err), -1);
		CU_ASSERT_EQUAL(err.code, wrong[i].code);
		CU_ASSERT_EQUAL(target.fd, -1);
	}
	folder_shell(top, "test ! -e root/etc/missing && test -f root/etc/made && test -d root/run/a && test -f root/last");
	check_canary(&dir);
}

TEST(path, clean_is_in_order)
{
	own_arena struct arena arena = { 0 };
	static const char *const paths[][2] = {
		{ "/", "/" },
		{ "", "/" },
		{ "a", "/a" },
		{ "/a//b/../c/", "/a/c" },
		{ "/..", "/" },
		{ "../../a", "/a" },
		{ "/a/./b", "/a/b" },
		{ "./a/.", "/a" },
		{ "//proc//", "/proc" },
		{ "/a/../..", "/" },
		{ "/a/...", "/a/..." },
		{ "/.a/..b", "/.a/..b" },
		{ "/a/b/../../c", "/c" },
		{ "/x/../proc/.", "/proc" },
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		CU_ASSERT_STRING_EQUAL(path_clean(&arena, paths[i][0]), paths[i][1]);
}

TEST(path, open_trusted_refuses_what_others_may_change)
{
	struct err err = { 0 };
	char path[128];
	int dir = folder_make(top, sizeof(top));
	folder_shell(
		top,
		"mkdir -p good/a/b open sticky/x; chmod 777 open; chmod 1777 sticky; mkdir open/x; ln -s good/a link; ln -s /etc abs;"
		"ln -s self self; : >file");
	static const char *const right[] = { "good/a/b", "link", "link/b", "abs", "sticky/x", "good/../good/a", "./good//a/" };
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, right[i]);
		own_fd int fd = path_open_trusted(path, NULL);
		CU_ASSERT_TRUE(fd >= 0);
	}
	static const struct {
		const char *name;
		int code;
	} wrong[] = { { "open", EPERM }, { "open/x", EPERM }, { "missing", ENOENT }, { "self", ELOOP }, { "file", ENOTDIR } };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", top, wrong[i].name);
		CU_ASSERT_EQUAL(path_open_trusted(path, &err), -1);
		CU_ASSERT_EQUAL(err.code, wrong[i].code);
	}
	CU_ASSERT_EQUAL(path_open_trusted("", &err), -1);
	folder_remove(&dir, top);
}

TEST(path, open_trusted_refuses_another_user)
{
	struct err err = { 0 };
	char path[128];
	int dir = folder_make(top, sizeof(top));
	folder_shell(top, "mkdir theirs theirs/x");
	if (geteuid() == 0) {
		folder_shell(top, "chown 12345 theirs; ln -s good link; chown -h 12345 link; mkdir good");
		snprintf(path, sizeof(path), "%s/theirs/x", top);
		CU_ASSERT_EQUAL(path_open_trusted(path, &err), -1);
		CU_ASSERT_EQUAL(err.code, EPERM);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "belongs to user 12345"));
		snprintf(path, sizeof(path), "%s/link", top);
		CU_ASSERT_EQUAL(path_open_trusted(path, &err), -1); // the link, too, must be ours
	}
	folder_remove(&dir, top);
}

TEST(path, mkdirs_of_the_host)
{
	char path[128];
	struct stat st;
	int dir = folder_make(top, sizeof(top));
	snprintf(path, sizeof(path), "%s/a//b/c", top);
	CU_ASSERT_EQUAL(path_mkdirs(path, 0700, NULL), 0);
	CU_ASSERT_EQUAL(path_mkdirs(path, 0700, NULL), 0);
	CU_ASSERT_EQUAL(fstatat(dir, "a/b", &st, 0), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0700);
	folder_shell(top, ": >file");
	snprintf(path, sizeof(path), "%s/file/x", top);
	CU_ASSERT_EQUAL(path_mkdirs(path, 0700, NULL), -1);
	folder_remove(&dir, top);
}

TEST(path, remove_tree_follows_no_link)
{
	int dir = -1;
	own_fd int root = make_root(
		&dir, "cd root; mkdir -p tree/a/b/c tree/closed/x; ln -s ../../canary tree/link; ln -s ../canary/file tree/l2;"
		      "mkfifo tree/fifo; : >tree/a/f; chmod 0 tree/closed; ln -s ../canary lone");
	CU_ASSERT_EQUAL(path_remove_tree(root, "tree", NULL), 0);
	CU_ASSERT_EQUAL(faccessat(root, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	CU_ASSERT_EQUAL(path_remove_tree(root, "lone", NULL), 0);
	CU_ASSERT_EQUAL(path_remove_tree(root, "missing", NULL), 0);
	struct err err = { 0 };
	char endless[PATH_MAX + 8];
	memset(endless, 'x', sizeof(endless) - 1);
	memcpy(endless + sizeof(endless) - 5, "/lone", 5); // not cut off: that would be another path
	endless[sizeof(endless) - 1] = '\0';
	CU_ASSERT_EQUAL(path_remove_tree(root, endless, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENAMETOOLONG);
	CU_ASSERT_EQUAL(path_remove_tree(root, "no/such", NULL), 0);
	check_canary(&dir);
}

// In a child with a mount namespace of its own: 0 if the mount stayed as it was. `source`: what is bound; NULL: a tmpfs.
static int remove_with_mount(const char *source)
{
	char path[128];
	struct err err = { 0 };
	snprintf(path, sizeof(path), "%s/tree/mounted", top);
	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0 ||
	    sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    (source ? sys_mount(source, path, NULL, MS_BIND, NULL) : sys_mount("tmpfs", path, "tmpfs", 0, NULL)) < 0)
		return 1;
	folder_shell(top, ": >tree/mounted/file");
	own_fd int dir = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC); // of the new namespace: the old one's has no mount
	if (path_remove_tree(dir, "tree", &err) == 0 || err.code != EXDEV)
		return 2;
	return faccessat(dir, "tree/mounted/file", F_OK, 0) == 0 ? 0 : 3;
}

static void check_mount_stays(const char *below)
{
	int status = -1;
	char source[128];
	int dir = folder_make(top, sizeof(top));
	folder_shell(top, "mkdir -p tree/mounted beside");
	snprintf(source, sizeof(source), "%s/%s", top, below ? below : "");
	pid_t pid = fork();
	if (pid == 0)
		_exit(remove_with_mount(below ? source : NULL));
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	folder_remove(&dir, top);
}

TEST(path, remove_tree_crosses_no_mount)
{
	check_mount_stays(NULL);
	check_mount_stays("beside"); // of the same file system
}

// What a container may have left behind is as deep as its owner liked.
TEST(path, remove_tree_of_any_depth)
{
	struct err err = { 0 };
	int dir = folder_make(top, sizeof(top));
	CU_ASSERT_EQUAL(mkdirat(dir, "tree", 0755), 0);
	int deepest = openat(dir, "tree", O_PATH | O_CLOEXEC);
	for (int i = 0; i < 3000; i++) {
		mkdirat(deepest, "d", 0755);
		mkdirat(deepest, "e", 0755);
		int next = openat(deepest, "d", O_PATH | O_CLOEXEC);
		fd_close(&deepest);
		deepest = next;
	}
	CU_ASSERT_TRUE(deepest >= 0);
	fd_close(&deepest);
	struct rlimit few = { .rlim_cur = 200 }, before;
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	CU_ASSERT_EQUAL(path_remove_tree(dir, "tree", &err), 0);
	setrlimit(RLIMIT_NOFILE, &before);
	CU_ASSERT_STRING_EQUAL(err.msg, "");
	CU_ASSERT_EQUAL(faccessat(dir, "tree", F_OK, 0), -1);
	folder_remove(&dir, top);
}
