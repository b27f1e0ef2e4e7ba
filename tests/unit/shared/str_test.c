// SPDX-License-Identifier: GPL-2.0-or-later
// str_test.c - lists of strings
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <string.h>

TEST(str, a_list_ends_with_null_at_every_length)
{
	own_arena struct arena arena = { 0 };
	struct strv list = { 0 };
	for (size_t i = 0; i < 100; i++) {
		strv_push(&arena, &list, arena_printf(&arena, "%zu", i));
		CU_ASSERT_EQUAL(list.count, i + 1);
		CU_ASSERT_PTR_NULL(list.items[list.count]);
	}
	CU_ASSERT_STRING_EQUAL(list.items[0], "0");
	CU_ASSERT_STRING_EQUAL(list.items[99], "99");
}

TEST(str, setenv_replaces_by_name)
{
	own_arena struct arena arena = { 0 };
	struct strv list = { 0 };
	strv_setenv(&arena, &list, "PATH=/bin");
	strv_setenv(&arena, &list, "PATHS=/x");
	strv_setenv(&arena, &list, "PATH=/usr/bin=1");
	CU_ASSERT_EQUAL(list.count, 2);
	CU_ASSERT_STRING_EQUAL(strv_getenv(&list, "PATH"), "/usr/bin=1");
	CU_ASSERT_STRING_EQUAL(strv_getenv(&list, "PATHS"), "/x");
	CU_ASSERT_PTR_NULL(strv_getenv(&list, "PAT"));
	CU_ASSERT_PTR_NULL(strv_getenv(&list, "HOME"));
}

TEST(str, split_keeps_empty_pieces)
{
	own_arena struct arena arena = { 0 };
	struct strv pieces = str_split(&arena, "a,,b,", ',');
	CU_ASSERT_EQUAL(pieces.count, 4);
	CU_ASSERT_STRING_EQUAL(pieces.items[0], "a");
	CU_ASSERT_STRING_EQUAL(pieces.items[1], "");
	CU_ASSERT_STRING_EQUAL(pieces.items[2], "b");
	CU_ASSERT_STRING_EQUAL(pieces.items[3], "");
	CU_ASSERT_EQUAL(str_split(&arena, "", ',').count, 1);
}

TEST(str, compares)
{
	CU_ASSERT_TRUE(str_eq("a", "a"));
	CU_ASSERT_FALSE(str_eq("a", "b"));
	CU_ASSERT_TRUE(str_eq(NULL, NULL));
	CU_ASSERT_FALSE(str_eq(NULL, ""));
	CU_ASSERT_FALSE(str_eq("", NULL));
	CU_ASSERT_TRUE(str_starts("container:web", "container:"));
	CU_ASSERT_TRUE(str_starts("x", ""));
	CU_ASSERT_FALSE(str_starts("con", "container:"));
}

TEST(str, clean_leaves_nothing_that_a_terminal_obeys)
{
	char text[] = "\033[31mred\007\r\x7f\b end \r\n\t ";
	str_clean(text);
	CU_ASSERT_STRING_EQUAL(text, "?[31mred????"
				     " end");
	char lines[] = "two\nlines\tand a C1 control: \xc2\x9b";
	str_clean(lines);
	CU_ASSERT_STRING_EQUAL(lines, "two lines and a C1 control: ??");
	char spaces[] = " \n\t";
	str_clean(spaces);
	CU_ASSERT_STRING_EQUAL(spaces, "");
	char utf8[] = "già 物 \xf0\x9f\x90\xb3";
	str_clean(utf8);
	CU_ASSERT_STRING_EQUAL(utf8, "già 物 \xf0\x9f\x90\xb3");
	char wrong[] =
		"\xe9, \x9b, \xc0\xaf, \xed\xa0\x80, \xf4\x90\x80\x80, \xff, cut \xe7\x89"; // Latin-1, half, overlong, surrogate, too large
	str_clean(wrong);
	CU_ASSERT_STRING_EQUAL(wrong, "?, ?, ??, ???, ????, ?, cut ??");
}
