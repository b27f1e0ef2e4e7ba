// SPDX-License-Identifier: GPL-2.0-or-later
// str.h - lists of strings, and the few questions about strings that C leaves open
#pragma once

#include "shared/arena.h"

#include <stdbool.h>
#include <stddef.h>

// A list of strings; items[count] is NULL once anything was pushed, so `items` serves as argv and envp.
struct strv {
	char **items;
	size_t count;
};

// Adds `text` itself (not a copy): it must live as long as the list.
void strv_push(struct arena *arena, struct strv *list, const char *text);

// Adds "NAME=value", or replaces the entry whose name is the same.
void strv_setenv(struct arena *arena, struct strv *list, const char *assignment);

// The value of NAME in a list of assignments, or NULL.
const char *strv_getenv(const struct strv *list, const char *name);

// Splits at each `separator`; empty pieces are kept, an empty text is one empty piece.
struct strv str_split(struct arena *arena, const char *text, char separator);

bool str_eq(const char *a, const char *b); // NULL equals only NULL
bool str_starts(const char *text, const char *prefix);

// Makes bytes from elsewhere safe to print on a terminal, as one line of UTF-8, in place: line ends and tabs become spaces, other
// control characters and what is no UTF-8 '?', and trailing white space goes.
void str_clean(char *text);
