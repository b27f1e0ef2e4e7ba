// SPDX-License-Identifier: GPL-2.0-or-later
// tarball.h - a tar archive as a sequence of entries; the one place that knows libarchive's tar reader
//
// POSIX ustar and pax, GNU (long names, sparse files), old V7. No other format is tried, whatever the bytes say.
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct tarball;

struct tarball_entry {
	const char *path; // bytes, as they are in the archive; valid until the next entry, as all of these
	const char *link; // a link's target, or NULL
	bool hard_link;
	mode_t mode;      // type and permissions
	int64_t uid, gid; // not judged yet
	int64_t size;     // of the file's content, holes included
	struct timespec mtime;
	dev_t rdev;
};

// Reads from where `fd` stands; it stays the caller's. See stream_open for `limit`.
struct tarball *tarball_open(int fd, uint64_t limit, struct err *err);

// Returns 1 with an entry, 0 at the end (all of the file was read and its checksums hold), -1 on failure.
int tarball_next(struct tarball *tarball, struct tarball_entry *out_entry, struct err *err);

// The next stretch of the entry's data and where it belongs; what lies between stretches is a hole. 1, 0 at the end, or -1.
int tarball_data(struct tarball *tarball, const void **out_data, size_t *out_size, int64_t *out_offset, struct err *err);

// The entry's next extended attribute; false after the last.
bool tarball_xattr(struct tarball *tarball, const char **out_name, const void **out_value, size_t *out_size);

void tarball_close(struct tarball *tarball);
