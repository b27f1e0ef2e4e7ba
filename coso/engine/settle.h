// SPDX-License-Identifier: GPL-2.0-or-later
// settle.h - a monitor lets go of what it inherited: another's lock, pipe or folder would be held for the container's whole life
//
// Order of use: settle_note right after the fork, the launch (which may still read /dev/fd/N, or a relative path), settle_down.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stddef.h>

struct settle {
	int *fds; // what was open above 2
	size_t count;
};

// Notes which descriptors are open; `own` (`own_count` of them) are ours to keep.
int settle_note(struct arena *arena, const int *own, size_t own_count, struct settle *out_settle, struct err *err);

// Closes them, and leaves the caller's working folder.
void settle_down(const struct settle *settle);
