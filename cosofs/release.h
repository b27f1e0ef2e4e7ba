// SPDX-License-Identifier: GPL-2.0-or-later
// release.h - the pinned release of Alpine's mini root file system: rootfs/alpine.txt, which is part of the program
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stddef.h>

struct release {
	const char *machine, *version, *sha256, *url;
};

// Finds the line of `machine` (as uname -m has it) in the text of a release file.
// Returns 0, or -1: a line that is wrong (the message has its number), or no line for this machine (err->code ENOENT).
int release_parse(struct arena *arena, const char *text, const char *machine, struct release *out, struct err *err);

// The release for this machine: from the file `path`, or the pinned one where that is NULL.
int release_find(struct arena *arena, const char *path, struct release *out, struct err *err);
