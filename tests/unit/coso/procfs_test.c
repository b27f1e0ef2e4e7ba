// SPDX-License-Identifier: GPL-2.0-or-later
// procfs_test.c - what lies over /proc, or what /proc is, doesn't matter
#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// With the rights of root in a mount namespace of its own, whoever runs the tests. False: it can't be had.
static bool be_root_elsewhere(void)
{
	return unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) == 0 &&
	       sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void read_oom(int proc, char text[16])
{
	own_fd int fd = procfs_open_own(proc, "oom_score_adj", O_RDONLY, NULL);
	ssize_t n = read(fd, text, 15);
	text[n > 0 ? n : 0] = '\0';
}

// Raising the score is everybody's right.
static void write_through(int proc)
{
	char text[16] = "";
	CU_ASSERT_EQUAL(procfs_write_own(proc, "oom_score_adj", "321", NULL), 0);
	read_oom(proc, text);
	CU_ASSERT_STRING_EQUAL(text, "321\n");
}

static void check_plain(void)
{
	own_fd int proc = procfs_open(NULL);
	write_through(proc);
	CU_ASSERT_EQUAL(fcntl(proc, F_GETFD), FD_CLOEXEC);
}

TEST(procfs, writes_reach_the_kernel)
{
	unit_in_child(check_plain);
}

// By its number: what the link leads to.
static void cover_file_by(const char *by)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", getpid());
	CU_ASSERT_EQUAL(sys_mount(by, path, NULL, MS_BIND, NULL), 0);
}

static void check_covered(const char *by)
{
	struct err err = { 0 };
	char text[16] = "";
	if (!be_root_elsewhere())
		return;
	cover_file_by(by);
	own_fd int proc = procfs_open(NULL);
	write_through(proc);

	own_fd int covered = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_EQUAL(procfs_write_own(covered, "oom_score_adj", "322", &err), -1);
	CU_ASSERT_EQUAL(err.code, EXDEV);
	read_oom(proc, text);
	CU_ASSERT_STRING_EQUAL(text, "321\n");
}

static void check_covered_by_device(void)
{
	check_covered("/dev/null");
}

static void check_covered_by_proc(void)
{
	check_covered("/proc/self/comm");
}

TEST(procfs, a_file_that_is_covered_is_written_below_the_cover)
{
	unit_in_child(check_covered_by_device);
	unit_in_child(check_covered_by_proc);
}

// A user namespace with the pid namespace of its maker may not mount proc afresh.
static void check_copy(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return;
	cover_file_by("/dev/null");
	own_fd int proc = procfs_open(NULL);
	write_through(proc);
}

TEST(procfs, a_copy_serves_where_a_fresh_one_is_not_allowed)
{
	if (!geteuid()) // others' files of proc are root's after unshare(2)
		unit_in_child(check_copy);
}

static void check_covered_proc(void)
{
	if (!be_root_elsewhere())
		return;
	own_fd int before = procfs_open(NULL);
	CU_ASSERT_EQUAL(sys_mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	CU_ASSERT_EQUAL(mkdir("/proc/1", 0755), 0);
	own_fd int proc = procfs_open(NULL);
	write_through(geteuid() ? before : proc);
}

TEST(procfs, a_fresh_one_needs_no_proc)
{
	unit_in_child(check_covered_proc);
}

static void check_fake_proc(void)
{
	struct err err = { 0 };
	if (!be_root_elsewhere())
		return;
	CU_ASSERT_EQUAL(sys_mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	CU_ASSERT_EQUAL(setresuid(1000, 1000, 1000), 0); // and so without CAP_SYS_ADMIN
	CU_ASSERT_EQUAL(procfs_open(&err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "isn't a proc file system"));
}

static void check_part_of_proc(void)
{
	struct err err = { 0 };
	if (!be_root_elsewhere())
		return;
	CU_ASSERT_EQUAL(sys_mount("/proc/sys", "/proc", NULL, MS_BIND, NULL), 0);
	CU_ASSERT_EQUAL(setresuid(1000, 1000, 1000), 0);
	CU_ASSERT_EQUAL(procfs_open(&err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "isn't a proc file system"));
}

static void check_unprivileged(void)
{
	CU_ASSERT_EQUAL(geteuid() ? 0 : setresuid(1000, 1000, 1000), 0);
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT(proc >= 0);
	own_fd int status = procfs_open_own(proc, "status", O_RDONLY, NULL);
	CU_ASSERT(status >= 0);
}

TEST(procfs, an_ordinary_user_has_the_one_that_is_there_if_it_is_one)
{
	unit_in_child(check_unprivileged);
	if (geteuid())
		return;
	unit_in_child(check_fake_proc);
	unit_in_child(check_part_of_proc);
}

TEST(procfs, no_way_out_and_no_link)
{
	struct err err = { 0 };
	own_fd int proc = procfs_open(NULL);
	static const char *const wrong[] = { "self/status", "../etc/passwd", "/etc/passwd", "1/root", "1/../../etc", "1/exe" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		own_fd int fd = procfs_open_file(proc, wrong[i], O_RDONLY, &err);
		CU_ASSERT_EQUAL(fd, -1);
	}
	own_fd int right = procfs_open_file(proc, "sys/kernel/ostype", O_RDONLY, &err);
	CU_ASSERT(right >= 0);
	CU_ASSERT_EQUAL(procfs_write_own(proc, "no_such_file", "x", &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(procfs_write_own(proc, "oom_score_adj", "x", &err), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "'/proc/self/oom_score_adj'"));
}
