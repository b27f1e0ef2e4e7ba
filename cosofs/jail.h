// SPDX-License-Identifier: GPL-2.0-or-later
// jail.h - makes the process that reads a hostile archive see nothing but the folder that it unpacks to
#pragma once

#include "shared/err.h"

struct jail {
	int folder;  // what it may write to: it becomes the process's "/"
	int keep[3]; // further descriptors that stay open; -1: none. All others are closed
	int layer;   // keep CAP_SYS_ADMIN, which trusted.overlay attributes need
};

// Call it in a forked child with one thread, before the first byte is read. It takes effect as far as the caller may: a mount
// namespace of its own (else chroot, else only the descriptors), the capabilities that unpacking needs, no new privileges,
// a limit on memory, and a filter of system calls that allows files and threads, and nothing else. *out_root is
// a descriptor of the folder. 0 or -1.
int jail_enter(const struct jail *jail, int *out_root, struct err *err);
