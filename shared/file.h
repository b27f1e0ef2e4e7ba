// SPDX-License-Identifier: GPL-2.0-or-later
// file.h - whole small files: read with a cap, written in one write(2), replaced atomically
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <sys/types.h>

enum { FILE_SMALL = 64 << 10, FILE_CONFIG = 4 << 20 }; // caps for file_read, in bytes

// Reads a regular file (or one of proc, sysfs, cgroup) of at most `cap` bytes, never blocking on a FIFO or a device.
// Returns its text with a NUL behind it, owned by the arena, or NULL. `dir` is AT_FDCWD or a folder. *out_size may be NULL.
char *file_read(struct arena *arena, int dir, const char *path, size_t cap, size_t *out_size, struct err *err);

// As file_read, from a descriptor that is open already.
char *file_read_fd(struct arena *arena, int fd, const char *name, size_t cap, size_t *out_size, struct err *err);

// Writes `text` to an existing file with one write(2), as proc, sysfs and cgroup files want it. 0 or -1.
int file_put(int dir, const char *path, const char *text, struct err *err);

// Replaces (or makes) dir/name so that a reader sees the old or the new content, whole: temporary name, rename. Nothing is synced: it
// serves for what is known of processes, none of which outlives the machine's power.
int file_replace(int dir, const char *name, const char *data, size_t size, mode_t mode, struct err *err);
