// SPDX-License-Identifier: GPL-2.0-or-later
// stamp.c - points in time as text
#include "shared/stamp.h"

#include <time.h>

char *stamp_now(struct arena *arena)
{
	struct timespec now;
	struct tm utc;
	char text[32];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	return arena_printf(arena, "%s.%09ldZ", text, now.tv_nsec);
}
