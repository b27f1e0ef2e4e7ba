// SPDX-License-Identifier: GPL-2.0-or-later
// mounttarget_test.c - where a mount may go, and where it ends up
#include "coso/launch/launch.h"
#include "coso/launch/mounttarget.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check(const char *type, const char *source, const char *path, enum mounts_kind kind)
{
	const struct spec_mount mount = { .type = type, .source = source, .destination = path };
	const struct mounts_item item = { .mount = &mount, .kind = kind, .path = path, .source = -1 };
	struct err err = { 0 };
	int result = mounttarget_check(&item, &err);
	CU_ASSERT_TRUE(result == 0 || strstr(err.msg, path));
	return result;
}

TEST(mounttarget, only_a_proc_goes_over_proc)
{
	CU_ASSERT_EQUAL(check("proc", NULL, "/proc", MOUNTS_NEW), 0);
	CU_ASSERT_EQUAL(check("bind", "/proc", "/proc", MOUNTS_BIND), 0);
	CU_ASSERT_EQUAL(check("tmpfs", NULL, "/proc", MOUNTS_NEW), -1);
	CU_ASSERT_EQUAL(check("bind", "/etc", "/proc", MOUNTS_BIND), -1);
	CU_ASSERT_EQUAL(check("bind", "/nowhere", "/proc", MOUNTS_BIND), -1);
	CU_ASSERT_EQUAL(check("cgroup", NULL, "/proc", MOUNTS_CGROUP), -1);
	CU_ASSERT_EQUAL(check("bind", "/etc", "/proc", MOUNTS_LINK), -1);
	CU_ASSERT_EQUAL(check("tmpfs", NULL, "/proc", MOUNTS_REMOUNT), 0);
}

TEST(mounttarget, below_proc_only_what_others_emulate)
{
	static const char *const right[] = { "/proc/cpuinfo", "/proc/meminfo",   "/proc/stat", "/proc/sys/kernel/ns_last_pid",
					     "/process",      "/home/proc/self", "/" };
	static const char *const wrong[] = { "/proc/self",      "/proc/self/attr",     "/proc/sys/kernel/core_pattern",
					     "/proc/cpuinfo/x", "/proc/sysrq-trigger", "/proc/sys" };
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		CU_ASSERT_EQUAL(check("bind", "/etc/hosts", right[i], MOUNTS_BIND), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(check("bind", "/etc/hosts", wrong[i], MOUNTS_BIND), -1);
		CU_ASSERT_EQUAL(check("proc", NULL, wrong[i], MOUNTS_NEW), -1);
	}
}

static int open_at(int root, const char *type, const char *path, struct err *err)
{
	const struct spec_mount mount = { .type = type };
	const struct mounts_item item = { .mount = &mount, .path = path, .source = -1 };
	struct launch launch = { .rootfs.root = root };
	struct path_target target = { .fd = -1 };
	int result = mounttarget_open(&launch, &item, &target, err);
	CU_ASSERT_EQUAL(result, target.fd < 0 ? -1 : 0);
	fd_close(&target.fd);
	return result;
}

// In a root with a proc, and with links to it.
static void open_targets(void)
{
	struct err err = { 0 };
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0 ||
	    sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || sys_mount("root", "/tmp", "tmpfs", 0, NULL) < 0)
		return;
	own_fd int root = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mkdirat(root, "proc", 0755);
	mkdirat(root, "real", 0755);
	(void)!symlinkat("/proc/self", root, "link");
	(void)!symlinkat("real", root, "sys");
	CU_ASSERT_EQUAL(sys_mount("/proc", "/tmp/proc", NULL, MS_BIND, NULL), 0);
	CU_ASSERT_EQUAL(open_at(root, "tmpfs", "/new", &err), 0);
	CU_ASSERT_EQUAL(open_at(root, "tmpfs", "/sys/below", &err), 0);
	CU_ASSERT_EQUAL(open_at(root, "tmpfs", "/link", &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "leads to /proc"));
	CU_ASSERT_EQUAL(open_at(root, "tmpfs", "/link/fd", &err), -1);
	CU_ASSERT_EQUAL(open_at(root, "sysfs", "/sys", &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "must be mounted on ordinary directory"));
	CU_ASSERT_EQUAL(open_at(root, "bind", "/sys", &err), -1);
	CU_ASSERT_EQUAL(open_at(root, "sysfs", "/sys/below", &err), -1);
	CU_ASSERT_EQUAL(open_at(root, "sysfs", "/elsewhere", &err), 0);
}

TEST(mounttarget, no_link_leads_to_proc_or_to_where_the_kernel_is_shown)
{
	unit_in_child(open_targets);
}
