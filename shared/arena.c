// SPDX-License-Identifier: GPL-2.0-or-later
// arena.c - memory that is freed all at once
#include "shared/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 8 << 10, ALIGN = 16 };

struct arena_block {
	struct arena_block *before;
	size_t size, used;
	_Alignas(ALIGN) unsigned char bytes[];
};

static _Noreturn void give_up(void)
{
	static const char text[] = "out of memory\n";
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(125);
}

static struct arena_block *new_block(struct arena *arena, size_t size)
{
	size_t room = size > BLOCK ? size : BLOCK;
	struct arena_block *block = calloc(1, sizeof(*block) + room);
	if (!block)
		give_up();
	block->size = room;
	block->before = arena->last;
	arena->last = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		give_up();
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct arena_block *block = arena->last;
	if (!block || block->size - block->used < size)
		block = new_block(arena, size);
	void *result = block->bytes + block->used;
	block->used += size;
	return result;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	if (length < 0)
		give_up();
	char *text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t item_size)
{
	bool full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
	if (!full)
		return items;
	size_t room = count < 4 ? 4 : count * 2;
	if (room > SIZE_MAX / 2 / item_size)
		give_up();
	void *larger = arena_alloc(arena, room * item_size);
	if (count)
		memcpy(larger, items, count * item_size);
	return larger;
}

void arena_free(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *block = arena->last;
		arena->last = block->before;
		free(block);
	}
}
