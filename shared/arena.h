// SPDX-License-Identifier: GPL-2.0-or-later
// arena.h - memory that is freed all at once: what one parse, one plan or one spec owns
//
// No function here returns NULL. Where the kernel gives no memory the process says so and ends with status 125: nothing that
// COSO builds outside the process needs memory to be undone by the next command.
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena {
	struct arena_block *last;
};

// `size` zeroed bytes, aligned for any type, valid until arena_free.
void *arena_alloc(struct arena *arena, size_t size);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

// Room for one more item: returns `items` (or a larger copy of it) with items[count] zeroed.
// Call it for every item from the first on; the room doubles at powers of two.
void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size);

// Frees everything; the arena is empty and usable again.
void arena_free(struct arena *arena);

#define own_arena __attribute__((cleanup(arena_free)))
