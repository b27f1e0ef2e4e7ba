// SPDX-License-Identifier: GPL-2.0-or-later
// tmpfs.c - makes a tmpfs of COSO's own
#include "coso/launch/tmpfs.h"

#include "shared/fd.h"
#include "shared/sys.h"

#include <stddef.h>

int tmpfs_new(const struct tmpfs *tmpfs, struct err *err)
{
	const char *const options[][2] = {
		{ "source", tmpfs->source },
		{ "size", tmpfs->size },
		{ "mode", tmpfs->mode },
		{ "nr_inodes", tmpfs->inodes },
	};
	own_fd int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return err_sys(err, "open a tmpfs for %s", tmpfs->what);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i][1] && sys_fsconfig(fs, FSCONFIG_SET_STRING, options[i][0], options[i][1], 0) < 0)
			return err_sys(err, "set %s=%s of a tmpfs for %s", options[i][0], options[i][1], tmpfs->what);
	}
	if (tmpfs->label && sys_fsconfig(fs, FSCONFIG_SET_STRING, tmpfs->label, tmpfs->label_value, 0) < 0)
		return err_sys(err, "set %s=%s of a tmpfs for %s", tmpfs->label, tmpfs->label_value, tmpfs->what);
	if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(err, "make a tmpfs for %s", tmpfs->what);
	int mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, tmpfs->attributes);
	return mount < 0 ? err_sys(err, "mount a tmpfs for %s", tmpfs->what) : mount;
}
