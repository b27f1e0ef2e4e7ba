// SPDX-License-Identifier: GPL-2.0-or-later
// stream.h - the bytes inside a compressed file, decompressed by a thread of their own while the caller uses those before
//
// gzip (one member or several), xz, zstd and plain, told apart by their first bytes. All in this process: no program is looked for.
// The checksums of gzip, which libarchive leaves unread, are verified.
#pragma once

#include "shared/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream;

// Starts reading `fd` (which stays the caller's) where it stands. More than `limit` bytes decompressed is an error. NULL on failure.
struct stream *stream_open(int fd, uint64_t limit, struct err *err);

// The next block: its size, 0 at the end, -1 on failure. It stays valid until the next call.
ssize_t stream_next(struct stream *stream, const void **out_data, struct err *err);

// Ends the thread and frees all; NULL is allowed.
void stream_close(struct stream *stream);
