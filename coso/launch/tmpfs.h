// SPDX-License-Identifier: GPL-2.0-or-later
// tmpfs.h - makes a tmpfs of COSO's own
#pragma once

#include "shared/err.h"

// Options as in tmpfs(5); NULL: the kernel's own.
struct tmpfs {
	const char *what; // it is for, in messages
	const char *source, *size, *mode, *inodes;
	const char *label, *label_value; // SELinux: "context" and what it is
	unsigned int attributes;         // MOUNT_ATTR_*
};

// Mounts it nowhere. Returns a descriptor for sys_move_mount, or -1.
int tmpfs_new(const struct tmpfs *tmpfs, struct err *err);
