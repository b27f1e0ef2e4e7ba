// SPDX-License-Identifier: GPL-2.0-or-later
// unpack.h - unpacks an archive into a folder, in a jailed process
#pragma once

#include "cosofs/extract.h"

// Unpacks the archive that `archive` reads into the folder `folder`. max_bytes 0: what is free on the disk.
// `name` is for messages. Returns 0, or -1 with the folder partly filled: the caller removes it.
int unpack_run(int archive, const char *name, int folder, const struct extract_options *options, struct extract_count *out_count,
	       struct err *err);

// Warns about what was left out, a line each.
void unpack_warn(const struct extract_count *count);
