// SPDX-License-Identifier: GPL-2.0-or-later
// stamp.c - points in time as text
#include "shared/stamp.h"

#include <time.h>

// The civil date of a day since 1970-01-01. gmtime(3) would read the time zone's file first. Years are counted from March, so that the
// day that some have and others haven't is the last; 400 of them have 146097 days.
static void date_of(int64_t day, long long *out_year, int *out_month, int *out_day)
{
	enum { ERA = 146097, SHIFT = 719468 }; // days from 0000-03-01 to 1970-01-01
	int64_t days = day + SHIFT, era = days / ERA, of_era = days % ERA;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA - 1)) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	*out_day = (int)(of_year - (153 * month + 2) / 5 + 1);
	*out_month = (int)(month < 10 ? month + 3 : month - 9);
	*out_year = year + era * 400 + (*out_month <= 2);
}

char *stamp_of(struct arena *arena, int64_t seconds, long nanoseconds)
{
	enum { DAY = 86400 };
	long long year;
	int month, day, second = (int)(seconds % DAY);
	date_of(seconds / DAY, &year, &month, &day);
	return arena_printf(arena, "%04lld-%02d-%02dT%02d:%02d:%02d.%09ldZ", year, month, day, second / 3600, second / 60 % 60,
			    second % 60, nanoseconds);
}

char *stamp_now(struct arena *arena)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return stamp_of(arena, now.tv_sec, now.tv_nsec);
}
