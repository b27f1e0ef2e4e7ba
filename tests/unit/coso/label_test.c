// SPDX-License-Identifier: GPL-2.0-or-later
// label_test.c - labels that this host can't give, and that none goes to a file which only looks like proc's
#include "coso/launch/label.h"
#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_fails(struct spec_process process, const char *sys, const char *text)
{
	struct err err = { 0 };
	CU_ASSERT_EQUAL(label_check(&process, sys, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOTSUP);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, text));
}

static void put(const char *sys, const char *folder, const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", sys, folder);
	CU_ASSERT_EQUAL(path_mkdirs(path, 0755, NULL), 0);
	snprintf(path, sizeof(path), "%s/%s/%s", sys, folder, name);
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CU_ASSERT_EQUAL(fd_write_full(fd, text, strlen(text)), 0);
}

TEST(label, what_this_kernel_has)
{
	char sys[] = "/tmp/coso-sys.XXXXXX";
	CU_ASSERT_PTR_NOT_NULL(mkdtemp(sys));
	const struct spec_process none = { 0 }, empty = { .apparmor_profile = "", .selinux_label = "" };
	const struct spec_process apparmor = { .apparmor_profile = "docker-default" }, selinux = { .selinux_label = "u:r:t:s0" };

	CU_ASSERT_EQUAL(label_check(&none, sys, NULL), 0);
	CU_ASSERT_EQUAL(label_check(&empty, sys, NULL), 0);
	check_fails(apparmor, sys, "apparmorProfile 'docker-default': AppArmor isn't enabled");
	check_fails(selinux, sys, "selinux label is specified in config, but selinux is disabled or not supported");

	put(sys, "module/apparmor/parameters", "enabled", "N\n");
	check_fails(apparmor, sys, "AppArmor");
	check_fails(selinux, sys, "selinux");
	put(sys, "module/apparmor/parameters", "enabled", "Y\n");
	CU_ASSERT_EQUAL(label_check(&apparmor, sys, NULL), 0);
	check_fails(selinux, sys, "selinux");
	put(sys, "fs/selinux", "enforce", "0"); // permissive: labels are there all the same
	CU_ASSERT_EQUAL(label_check(&selinux, sys, NULL), 0);
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, sys, NULL), 0);
}

// The kernel here may have neither: then it refuses both, and what counts is that it was asked.
static void check_fake_proc(void)
{
	const struct spec_process apparmor = { .apparmor_profile = "no-such-profile" }, selinux = { .selinux_label = "no label" },
				  empty = { .apparmor_profile = "", .selinux_label = "" };
	char path[64];
	struct stat st;
	struct err err = { 0 };
	CU_ASSERT_EQUAL(unshare(CLONE_NEWNS), 0);
	CU_ASSERT_EQUAL(sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	CU_ASSERT_EQUAL(sys_mount("tmpfs", "/proc", "tmpfs", 0, NULL), 0);
	snprintf(path, sizeof(path), "/proc/%d", getpid());
	CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
	CU_ASSERT_EQUAL(symlink(path + strlen("/proc/"), "/proc/self"), 0);
	snprintf(path, sizeof(path), "/proc/%d/attr", getpid());
	CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
	own_fd int fake = open("/proc/self/attr/exec", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT(fake >= 0 && proc >= 0);

	CU_ASSERT_EQUAL(label_apply(&empty, proc, &err), 0);
	CU_ASSERT_EQUAL(label_apply(&apparmor, proc, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "apparmorProfile 'no-such-profile'"));
	// The kernel's file takes what another security module of it makes of the text (seen with Debian's 6.1).
	CU_ASSERT(label_apply(&selinux, proc, &err) == 0 || strstr(err.msg, "selinuxLabel 'no label'"));
	CU_ASSERT(fstat(fake, &st) == 0 && st.st_size == 0);

	own_fd int seeming = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_EQUAL(label_apply(&selinux, seeming, &err), -1);
	CU_ASSERT_EQUAL(err.code, EXDEV);
	CU_ASSERT(fstat(fake, &st) == 0 && st.st_size == 0);
}

TEST(label, none_goes_to_a_file_that_only_looks_like_procs)
{
	if (!geteuid())
		unit_in_child(check_fake_proc);
}
