// SPDX-License-Identifier: GPL-2.0-or-later
// list.c - lists of CPUs and of memory nodes
#include "shared/list.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

// Reads a number from the start of `text`. Returns what follows it, or NULL: no digit, or too large.
static const char *number(const char *text, size_t *out)
{
	size_t value = 0;
	const char *c = text;
	for (; *c >= '0' && *c <= '9'; c++) {
		value = value * 10 + (size_t)(*c - '0');
		if (value >= LIST_MAX)
			return NULL;
	}
	*out = value;
	return c == text ? NULL : c;
}

int list_parse(const char *what, const char *text, struct list *out, struct err *err)
{
	struct list list = { 0 };
	for (const char *c = text; *text; c++) {
		size_t first = 0, last = 0;
		c = number(c, &first);
		last = first;
		if (c && *c == '-')
			c = number(c + 1, &last);
		if (!c || first > last || (*c && *c != ','))
			return err_set(err, EINVAL, "%s '%.80s': not a list such as 0-3,7, of numbers from 0 to %d", what, text,
				       LIST_MAX - 1);
		for (; first <= last; first++)
			list.bits[first / LIST_WORD] |= 1UL << first % LIST_WORD;
		if (!*c)
			break;
	}
	*out = list;
	return 0;
}

bool list_is_empty(const struct list *list)
{
	static const struct list empty;
	return list_eq(list, &empty);
}

bool list_eq(const struct list *a, const struct list *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
