// SPDX-License-Identifier: GPL-2.0-or-later
// stamp.h - points in time as text
#pragma once

#include "shared/arena.h"

#include <stdint.h>

// A moment since 1970, as RFC 3339 has it: UTC, with nanoseconds. Not before 1970.
char *stamp_of(struct arena *arena, int64_t seconds, long nanoseconds);

char *stamp_now(struct arena *arena);
