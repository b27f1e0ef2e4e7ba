// SPDX-License-Identifier: GPL-2.0-or-later
// words.c - messages in the words that engines look for
#include "coso/oci/words.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { ERRNO_LAST = 133 }; // EHWPOISON

void words_lower(char *message)
{
	for (int code = 1; code <= ERRNO_LAST; code++) {
		const char *reason = strerrordesc_np(code);
		for (char *c = reason ? strstr(message, reason) : NULL; c; c = strstr(c + 1, reason)) {
			bool behind = c - message >= 2 && c[-1] == ' ' && c[-2] == ':';
			if (behind && !isupper((unsigned char)c[1])) // "RFS specific error" and its like stay
				*c = (char)tolower((unsigned char)*c);
		}
	}
}
