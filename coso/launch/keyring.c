// SPDX-License-Identifier: GPL-2.0-or-later
// keyring.c - a session keyring of the container's own
#include "coso/launch/keyring.h"

#include <errno.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int keyring_join(const struct spec *spec, struct err *err)
{
	char name[sizeof("_ses.") + NAME_MAX];
	snprintf(name, sizeof(name), "_ses.%s", spec->id);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, spec->bundle ? name : NULL) >= 0 || errno == ENOSYS || errno == EPERM)
		return 0;
	err_sys(err, "make a session keyring");
	return err->code == EDQUOT ? err_hint(err, "raise kernel.keys.maxkeys") : -1;
}
