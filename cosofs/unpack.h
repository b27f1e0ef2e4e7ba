// SPDX-License-Identifier: GPL-2.0-or-later
// unpack.h - unpacks an archive into a folder, in a jailed process
#pragma once

#include "cosofs/extract.h"

struct unpack {
	int archive;                    // to read, from where it stands
	const char *name;               // of the archive, for messages
	int folder;                     // to fill
	struct extract_options options; // max_bytes 0: what is free on the disk; max_entries 0: 4000000
};

// Unpacks the archive into the folder. Returns 0, or -1 with the folder partly filled: the caller removes it.
int unpack_run(const struct unpack *unpack, struct extract_count *out_count, struct err *err);

// Warns about what was left out, a line each.
void unpack_warn(const struct extract_count *count);
