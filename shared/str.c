// SPDX-License-Identifier: GPL-2.0-or-later
// str.c - lists of strings
#include "shared/str.h"

#include <stdint.h>
#include <string.h>

void strv_push(struct arena *arena, struct strv *list, const char *text)
{
	// One more than the items: the list always ends with NULL.
	list->items = arena_grow(arena, list->items, list->count ? list->count + 1 : 0, sizeof(*list->items));
	list->items[list->count++] = (char *)text;
	list->items[list->count] = NULL;
}

static size_t name_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

void strv_setenv(struct arena *arena, struct strv *list, const char *assignment)
{
	size_t length = name_length(assignment);
	for (size_t i = 0; i < list->count; i++) {
		if (name_length(list->items[i]) == length && memcmp(list->items[i], assignment, length) == 0) {
			list->items[i] = (char *)assignment;
			return;
		}
	}
	strv_push(arena, list, assignment);
}

const char *strv_getenv(const struct strv *list, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->items[i], name, length) == 0 && list->items[i][length] == '=')
			return list->items[i] + length + 1;
	}
	return NULL;
}

struct strv str_split(struct arena *arena, const char *text, char separator)
{
	struct strv pieces = { 0 };
	for (;;) {
		const char *end = strchrnul(text, separator);
		strv_push(arena, &pieces, arena_strndup(arena, text, (size_t)(end - text)));
		if (!*end)
			return pieces;
		text = end + 1;
	}
}

bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

// The length of the character at `c`, 0 where it isn't UTF-8, or is a control: U+0080 to U+009F are some, too.
static size_t printable(const unsigned char *c)
{
	static const uint32_t least[] = { 0, ' ', 0xa0, 0x800, 0x10000 };
	size_t length = *c < 0x80 ? 1 : *c < 0xc0 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf8 ? 4 : 0;
	uint32_t value = length < 2 ? *c : *c & (0xffU >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (c[i] & 0x3f);
	}
	bool surrogate = value >= 0xd800 && value < 0xe000;
	return value < least[length] || value == 127 || value > 0x10ffff || surrogate ? 0 : length;
}

void str_clean(char *text)
{
	size_t length = strlen(text);
	while (length && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	for (unsigned char *c = (unsigned char *)text; *c;) {
		size_t good = printable(c);
		if (!good)
			*c = *c == '\n' || *c == '\t' ? ' ' : '?';
		c += good ? good : 1;
	}
}
