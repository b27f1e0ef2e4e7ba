// SPDX-License-Identifier: GPL-2.0-or-later
// label.c - what the program becomes for AppArmor and SELinux
#include "coso/launch/label.h"

#include "coso/launch/procfs.h"
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { LABEL_MAX = 4096 }; // the kernel takes a page

static bool is_given(const char *text)
{
	return text && *text;
}

bool label_has_apparmor(const char *sys)
{
	char path[PATH_MAX], enabled = 'N';
	snprintf(path, sizeof(path), "%s/module/apparmor/parameters/enabled", sys);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &enabled, 1) == 1 && enabled == 'Y';
}

bool label_has_selinux(const char *sys)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/fs/selinux/enforce", sys);
	return access(path, F_OK) == 0;
}

int label_check(const struct spec_process *process, const char *sys, struct err *err)
{
	if (is_given(process->apparmor_profile) && !label_has_apparmor(sys))
		return err_set(err, ENOTSUP, "apparmorProfile '%.200s': AppArmor isn't enabled on this host",
			       process->apparmor_profile);
	if (is_given(process->selinux_label) && !label_has_selinux(sys))
		return err_set(
			err, ENOTSUP,
			"selinux label is specified in config, but selinux is disabled or not supported (selinuxLabel '%.200s')",
			process->selinux_label);
	return 0;
}

// With its own folder it is AppArmor's whatever else is there (Linux 5.1); the other file is that of whoever comes first.
static int apply_apparmor(const char *profile, int proc, struct err *err)
{
	char text[LABEL_MAX];
	if (snprintf(text, sizeof(text), "exec %s", profile) >= (int)sizeof(text))
		return err_set(err, ENAMETOOLONG, "apparmorProfile '%.80s…': the name is too long", profile);
	own_fd int own = procfs_open_own(proc, "attr/apparmor/exec", O_WRONLY, NULL);
	if (procfs_write_own(proc, own >= 0 ? "attr/apparmor/exec" : "attr/exec", text, err) == 0)
		return 0;
	if (err->code == ENOENT)
		return err_set(err, ENOENT, "apparmorProfile '%.200s': no such profile is loaded (apparmor_parser loads it)",
			       profile);
	return err_wrap(err, "apparmorProfile '%.200s'", profile);
}

int label_apply(const struct spec_process *process, int proc, struct err *err)
{
	if (is_given(process->apparmor_profile) && apply_apparmor(process->apparmor_profile, proc, err) < 0)
		return -1;
	if (is_given(process->selinux_label) && procfs_write_own(proc, "attr/exec", process->selinux_label, err) < 0)
		return err_wrap(err, "selinuxLabel '%.200s'", process->selinux_label);
	return 0;
}
