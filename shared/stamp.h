// SPDX-License-Identifier: GPL-2.0-or-later
// stamp.h - points in time as text
#pragma once

#include "shared/arena.h"

// Now, as RFC 3339 has it: UTC, with nanoseconds.
char *stamp_now(struct arena *arena);
