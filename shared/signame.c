// SPDX-License-Identifier: GPL-2.0-or-later
// signame.c - signals by name and number
#include "shared/signame.h"

#include "shared/num.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

// "RTMIN+3": what stands behind the name, up to the range's other end.
static int parse_realtime(const char *name)
{
	const bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	const uint64_t range = (uint64_t)(SIGRTMAX - SIGRTMIN);
	uint64_t offset = 0;
	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return -1;
	name += 5;
	if (*name && (*name != (from_min ? '+' : '-') || num_u64("signal", name + 1, 0, range, &offset, NULL) < 0))
		return -1;
	return from_min ? SIGRTMIN + (int)offset : SIGRTMAX - (int)offset;
}

int signame_parse(const char *text)
{
	uint64_t number;
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	if (num_u64("signal", text, 1, (uint64_t)SIGRTMAX, &number, NULL) == 0)
		return (int)number;
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcasecmp(known, name) == 0)
			return i;
	}
	return parse_realtime(name);
}
