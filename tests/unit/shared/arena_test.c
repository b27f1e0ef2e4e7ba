// SPDX-License-Identifier: GPL-2.0-or-later
// arena_test.c - memory that is freed all at once
#include "shared/arena.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(arena, gives_zeroed_aligned_memory)
{
	own_arena struct arena arena = { 0 };
	for (size_t size = 1; size < 40000; size = size * 3 + 1) {
		unsigned char *bytes = arena_alloc(&arena, size);
		CU_ASSERT_EQUAL((uintptr_t)bytes % _Alignof(max_align_t), 0);
		bool zeroed = true;
		for (size_t i = 0; i < size; i++)
			zeroed = zeroed && bytes[i] == 0;
		CU_ASSERT_TRUE(zeroed);
		memset(bytes, 0xff, size); // the next piece must not overlap
	}
}

TEST(arena, copies_and_formats)
{
	own_arena struct arena arena = { 0 };
	CU_ASSERT_STRING_EQUAL(arena_strdup(&arena, ""), "");
	CU_ASSERT_STRING_EQUAL(arena_strndup(&arena, "coso-net", 4), "coso");
	CU_ASSERT_STRING_EQUAL(arena_printf(&arena, "%s-%d", "id", 7), "id-7");
	char *large = arena_printf(&arena, "%030000d", 1);
	CU_ASSERT_EQUAL(strlen(large), 30000);
}

TEST(arena, grows_and_keeps_what_is_there)
{
	own_arena struct arena arena = { 0 };
	int *items = NULL;
	for (int i = 0; i < 1000; i++) {
		items = arena_grow(&arena, items, (size_t)i, sizeof(*items));
		CU_ASSERT_EQUAL(items[i], 0);
		items[i] = i;
	}
	bool kept = true;
	for (int i = 0; i < 1000; i++)
		kept = kept && items[i] == i;
	CU_ASSERT_TRUE(kept);
}

TEST(arena, is_usable_again_after_free)
{
	struct arena arena = { 0 };
	arena_strdup(&arena, "first");
	arena_free(&arena);
	CU_ASSERT_PTR_NULL(arena.last);
	CU_ASSERT_STRING_EQUAL(arena_strdup(&arena, "second"), "second");
	arena_free(&arena);
}

static int status_of(void (*body)(struct arena *arena))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct arena arena = { 0 };
		close(STDERR_FILENO);
		body(&arena);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void take_too_much(struct arena *arena)
{
	arena_alloc(arena, SIZE_MAX - 8);
}

static void grow_too_much(struct arena *arena)
{
	arena_grow(arena, NULL, 0, SIZE_MAX / 4);
}

TEST(arena, ends_with_125_where_there_is_no_memory)
{
	CU_ASSERT_EQUAL(status_of(take_too_much), 125);
	CU_ASSERT_EQUAL(status_of(grow_too_much), 125);
}
