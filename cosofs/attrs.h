// SPDX-License-Identifier: GPL-2.0-or-later
// attrs.h - owner, permissions, extended attributes and times of an entry that was just made
#pragma once

#include "cosofs/extract.h"

// Both take the entry as it is in the archive, its owner already checked to be an id.

// A regular file or folder, open for reading or writing. Times are left to the caller (attrs_times).
int attrs_set_fd(struct extract *x, int fd, const struct tarball_entry *entry, struct err *err);

// Anything else, by name; it is never followed. Sets the times too.
int attrs_set_at(struct extract *x, int parent, const char *base, const struct tarball_entry *entry, struct err *err);

// The last change to a file. An impossible time is left out.
void attrs_times(int fd, struct timespec mtime);
