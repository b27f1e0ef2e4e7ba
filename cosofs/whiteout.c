// SPDX-License-Identifier: GPL-2.0-or-later
// whiteout.c - what an unpacked layer hides
#include "cosofs/whiteout.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

int whiteout_make(int parent, const char *name, struct err *err)
{
	// Linux 5.8: everybody may make this device.
	if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, "make a whiteout");
	own_fd int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : err_sys(err, "make a whiteout");
	return whiteout_make_opaque(folder, err);
}

int whiteout_make_opaque(int folder, struct err *err)
{
	bool trusted = fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0) == 0;
	if (!trusted && errno != EPERM)
		return err_sys(err, "mark the folder opaque");
	if (fsetxattr(folder, "user.overlay.opaque", "y", 1, 0) == 0)
		return 0;
	// Before Linux 6.6 a tmpfs has no user attributes; without the other one, nothing would hide the layers below.
	return trusted && errno == EOPNOTSUPP ? 0 : err_sys(err, "mark the folder opaque");
}

bool whiteout_is(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}
