// SPDX-License-Identifier: GPL-2.0-or-later
// name_test.c - names of archive entries
#include "cosofs/name.h"

#include "tests/unit/unit.h"

#include <string.h>

static const char *parsed(const char *text)
{
	static struct name name;
	return name_parse(text, strlen(text), &name, NULL) == 0 ? name.path : NULL;
}

TEST(name, normal_form)
{
	static const char *const cases[][2] = {
		{ "a", "a" },
		{ "./a", "a" },
		{ "/a", "a" },
		{ "//a//b/", "a/b" },
		{ "a/./b/.", "a/b" },
		{ "", "" },
		{ ".", "" },
		{ "./", "" },
		{ "/", "" },
		{ "//./", "" },
		{ "..a/b..", "..a/b.." },
		{ "...", "..." },
		{ "a/.../b", "a/.../b" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_STRING_EQUAL(parsed(cases[i][0]), cases[i][1]);
}

TEST(name, leads_out)
{
	static const char *const cases[] = { "..", "../a", "a/..", "a/../b", "/..", "./../", "a/b/.." };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_PTR_NULL(parsed(cases[i]));
}

TEST(name, parent_and_base)
{
	struct name name;
	CU_ASSERT_EQUAL(name_parse("/usr//bin/tool", 14, &name, NULL), 0);
	CU_ASSERT_EQUAL(name.parent, 7);
	CU_ASSERT_STRING_EQUAL(name.base, "tool");
	CU_ASSERT_EQUAL(name_parse("tool", 4, &name, NULL), 0);
	CU_ASSERT_EQUAL(name.parent, 0);
	CU_ASSERT_STRING_EQUAL(name.base, "tool");
}

TEST(name, limits)
{
	struct name name;
	struct err err = { 0 };
	char text[8192];
	memset(text, 'n', sizeof(text));
	CU_ASSERT_EQUAL(name_parse(text, 255, &name, &err), 0);
	CU_ASSERT_EQUAL(name_parse(text, 256, &name, &err), -1);
	for (size_t i = 200; i < sizeof(text); i += 200)
		text[i] = '/';
	CU_ASSERT_EQUAL(name_parse(text, 4000, &name, &err), 0);
	CU_ASSERT_EQUAL(name_parse(text, 5000, &name, &err), -1);
	memset(text, 'n', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '/';
	CU_ASSERT_EQUAL(name_parse(text, (size_t)NAME_DEPTH_MAX * 2, &name, &err), 0);
	CU_ASSERT_EQUAL(name_parse(text, (size_t)NAME_DEPTH_MAX * 2 + 2, &name, &err), -1);
	CU_ASSERT_EQUAL(name_parse("a\0b", 3, &name, &err), -1);
	CU_ASSERT(strlen(name.shown) < NAME_SHOWN);
}

TEST(name, shown_is_harmless)
{
	struct name name;
	CU_ASSERT_EQUAL(name_parse("a\n\x1b[31m\x7f'b", 10, &name, NULL), 0);
	CU_ASSERT_STRING_EQUAL(name.shown, "a??[31m??b");
}

static int mark_of(const char *text, const char **out_target)
{
	static struct name name;
	enum name_mark mark;
	if (name_parse(text, strlen(text), &name, NULL) < 0 || name_mark(&name, &mark, out_target, NULL) < 0)
		return -1;
	return (int)mark;
}

TEST(name, marks)
{
	const char *target = NULL;
	CU_ASSERT_EQUAL(mark_of("a/b", &target), NAME_PLAIN);
	CU_ASSERT_EQUAL(mark_of("a/.whale", &target), NAME_PLAIN);
	CU_ASSERT_EQUAL(mark_of("a/x.wh.b", &target), NAME_PLAIN);
	CU_ASSERT_EQUAL(mark_of("a/.wh.b", &target), NAME_WHITEOUT);
	CU_ASSERT_STRING_EQUAL(target, "b");
	CU_ASSERT_EQUAL(mark_of(".wh....", &target), NAME_WHITEOUT);
	CU_ASSERT_STRING_EQUAL(target, "...");
	CU_ASSERT_EQUAL(mark_of("a/.wh..wh..opq", &target), NAME_OPAQUE);
	CU_ASSERT_EQUAL(mark_of(".wh..wh.plnk", &target), NAME_INTERNAL);
}

TEST(name, bad_marks)
{
	static const char *const cases[] = { ".wh.",     ".wh..",   ".wh...",    "a/.wh.",
					     "a/.wh...", ".wh.a/b", "a/.wh.b/c", ".wh..wh..opq/x" };
	const char *target = NULL;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CU_ASSERT_EQUAL(mark_of(cases[i], &target), -1);
}
