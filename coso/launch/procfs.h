// SPDX-License-Identifier: GPL-2.0-or-later
// procfs.h - a proc that nobody can have mounted anything over: what is written through it reaches the kernel. proc(5)
//
// A label, a sysctl or a setting of the process that is written to /proc of a container goes where the image or a neighbour with a
// shared mount wants it (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881). So whatever COSO writes to proc for a container goes through
// a handle of its own: a fresh mount that is attached nowhere, else a detached copy of /proc without what lies on it, else /proc
// itself, checked to be one; and no step below it crosses a mount or follows a link. All of it is async-signal-safe.
#pragma once

#include "shared/err.h"

// Opens such a handle, O_PATH and CLOEXEC, of the pid namespace that the caller is in (of the one that /proc shows where no fresh one
// may be made). Should: be called before the container's own mounts are there, since who sees but a masked proc may not make a whole
// one in a user namespace. Mustn't: stay open beyond exec.
int procfs_open(struct err *err);

// Opens a file below it: "sys/kernel/shmmax", "12/oom_score_adj". Returns a CLOEXEC descriptor or -1.
int procfs_open_file(int proc, const char *path, int flags, struct err *err);

// Writes `text`, with one write(2), to a file of the calling process: "attr/exec", "timens_offsets".
int procfs_write_own(int proc, const char *name, const char *text, struct err *err);

// Opens a file or folder of the calling process.
int procfs_open_own(int proc, const char *name, int flags, struct err *err);
