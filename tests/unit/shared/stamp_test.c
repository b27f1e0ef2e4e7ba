// SPDX-License-Identifier: GPL-2.0-or-later
// stamp_test.c - the calendar, by the C library's
#include "shared/stamp.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

TEST(stamp, every_day_of_four_centuries)
{
	for (int64_t day = 0; day < 400 * 366; day++) {
		own_arena struct arena arena = { 0 };
		const time_t seconds = day * 86400 + day % 86400;
		struct tm utc;
		char want[64];
		gmtime_r(&seconds, &utc);
		size_t length = strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S", &utc);
		snprintf(want + length, sizeof(want) - length, ".%09ldZ", (long)day);
		if (strcmp(stamp_of(&arena, seconds, (long)day), want) != 0) {
			CU_FAIL("another date than gmtime's");
			return;
		}
	}
}
