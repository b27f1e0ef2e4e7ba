// SPDX-License-Identifier: GPL-2.0-or-later
// timens_test.c - offsets that can't be, and clocks of a process that is in the namespace that it made
#include "coso/launch/procfs.h"
#include "coso/launch/timens.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400 };

static void is_wrong(const struct spec *spec, const char *text)
{
	struct timens timens = { .offsets = "untouched" };
	struct err err = { 0 };
	CU_ASSERT_EQUAL(timens_prepare(spec, &timens, &err), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, text));
	CU_ASSERT_STRING_EQUAL(timens.offsets, "untouched");
}

TEST(timens, offsets_that_cannot_be)
{
	struct spec_time_offset offsets[] = { { "monotonic", 1, 0 }, { "monotonic", 2, 0 } };
	struct spec_join join = { CLONE_NEWTIME, "/proc/1/ns/time" };
	struct spec spec = { .time_offsets = offsets, .time_offset_count = 1 };
	is_wrong(&spec, "they need a new time namespace");
	spec.joins = &join;
	spec.join_count = 1;
	is_wrong(&spec, "'/proc/1/ns/time' is joined");
	join.flag = CLONE_NEWNET;
	is_wrong(&spec, "they need a new time namespace");
	spec.namespaces = CLONE_NEWTIME;
	spec.time_offset_count = 2;
	is_wrong(&spec, "monotonic is there twice");
	offsets[1].clock = "realtime";
	is_wrong(&spec, "unknown clock 'realtime'");
	offsets[1] = (struct spec_time_offset){ "boottime", 0, 1000000000 };
	is_wrong(&spec, "timeOffsets.boottime.nanosecs 1000000000");
}

TEST(timens, offsets_as_the_kernel_takes_them)
{
	struct spec_time_offset offsets[] = { { "boottime", INT64_MIN, 999999999 }, { "monotonic", INT64_MIN, 999999999 } };
	struct spec spec = { .namespaces = CLONE_NEWTIME, .time_offsets = offsets, .time_offset_count = 2 };
	struct timens timens;
	CU_ASSERT_EQUAL(timens_prepare(&spec, &timens, NULL), 0);
	CU_ASSERT_STRING_EQUAL(timens.offsets,
			       "boottime -9223372036854775808 999999999\nmonotonic -9223372036854775808 999999999\n");
	spec.time_offset_count = 0;
	CU_ASSERT_EQUAL(timens_prepare(&spec, &timens, NULL), 0);
	CU_ASSERT_STRING_EQUAL(timens.offsets, "");
}

static time_t seconds(clockid_t clock)
{
	struct timespec now = { 0 };
	clock_gettime(clock, &now);
	return now.tv_sec;
}

static bool is_about(time_t value, time_t expected)
{
	return value >= expected && value < expected + 10;
}

static int exit_status(pid_t pid)
{
	int status = -1;
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void enter_two_days_on(void)
{
	struct spec_time_offset offsets[] = { { "monotonic", DAY, 0 }, { "boottime", 2 * DAY, 500 } };
	struct spec spec = { .namespaces = CLONE_NEWTIME, .time_offsets = offsets, .time_offset_count = 2 };
	struct timens timens;
	struct err err = { 0 };
	time_t monotonic = seconds(CLOCK_MONOTONIC), boottime = seconds(CLOCK_BOOTTIME);
	own_fd int proc = procfs_open(&err);
	CU_ASSERT_EQUAL(timens_prepare(&spec, &timens, NULL), 0);
	int rc = timens_enter(&timens, proc, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.msg);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT(is_about(seconds(CLOCK_MONOTONIC), monotonic + DAY));
	CU_ASSERT(is_about(seconds(CLOCK_BOOTTIME), boottime + 2 * DAY));
	pid_t pid = fork();
	if (pid == 0)
		_exit(!is_about(seconds(CLOCK_BOOTTIME), boottime + 2 * DAY));
	CU_ASSERT_EQUAL(exit_status(pid), 0);
}

// As a container's first process is, from clone3 on and before its ids are mapped.
static void check_with_all_namespaces(void)
{
	struct clone_args args = {
		.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET,
		.exit_signal = SIGCHLD,
	};
	unsigned int before = CU_get_number_of_failures();
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		enter_two_days_on();
		_exit(CU_get_number_of_failures() != before);
	}
	CU_ASSERT_EQUAL(exit_status(pid), 0);
}

static void check_refused(void)
{
	struct timens timens = { .offsets = "boottime -99999999999 0\n" };
	struct err err = { 0 };
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT_EQUAL(geteuid() ? unshare(CLONE_NEWUSER) : 0, 0);
	CU_ASSERT_EQUAL(timens_enter(&timens, proc, &err), -1);
	CU_ASSERT_EQUAL(err.code, ERANGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no clock may be negative"));
}

// As spec'd: a namespace without offsets is a new one all the same.
static void check_without_offsets(void)
{
	struct timens timens = { 0 };
	struct stat before, after, children;
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT_EQUAL(stat("/proc/self/ns/time", &before), 0);
	CU_ASSERT_EQUAL(timens_enter(&timens, proc, NULL), 0);
	CU_ASSERT_EQUAL(stat("/proc/self/ns/time", &after), 0);
	CU_ASSERT_EQUAL(stat("/proc/self/ns/time_for_children", &children), 0);
	CU_ASSERT(after.st_ino != before.st_ino && after.st_ino == children.st_ino);
}

TEST(timens, the_process_itself_is_in_it)
{
	if (access("/proc/self/ns/time", F_OK) < 0) {
		printf("skipped: the kernel has no time namespaces ");
		return;
	}
	unit_in_child(check_with_all_namespaces);
	if (geteuid())
		return;
	unit_in_child(enter_two_days_on);
	unit_in_child(check_without_offsets);
	unit_in_child(check_refused);
}
