// SPDX-License-Identifier: GPL-2.0-or-later
// str.c - lists of strings
#include "shared/str.h"

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

void str_clean(char *text)
{
	size_t length = strlen(text);
	while (length && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	for (unsigned char *c = (unsigned char *)text; *c; c++) {
		if (*c == '\n' || *c == '\t')
			*c = ' ';
		else if (*c < ' ' || *c == 127)
			*c = '?';
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) // U+0080 to U+009F are controls too, and half of one is no UTF-8
			*c = *(c + 1) = '?';
	}
}
