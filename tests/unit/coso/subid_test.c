// SPDX-License-Identifier: GPL-2.0-or-later
// subid_test.c - subordinate ids and maps
#include "coso/spec/subid.h"
#include "tests/unit/unit.h"

#include <string.h>

TEST(subid, finds_the_first_good_range_of_a_name_or_number)
{
	static const char text[] =
		"# comment\n:1:1\nme:x:5\nme:400\nme:1:0\nme:4294967290:100\nme:300:20\n1000:200:50\nme:100:10\nyou:5:5\n";
	uint32_t first = 7, size = 7;
	CU_ASSERT_TRUE(subid_find(text, "me", 5, &first, &size));
	CU_ASSERT_EQUAL(first, 300);
	CU_ASSERT_EQUAL(size, 20);
	CU_ASSERT_TRUE(subid_find(text, "else", 1000, &first, &size));
	CU_ASSERT_EQUAL(first, 200);
	CU_ASSERT_EQUAL(size, 50);
	first = size = 7;
	CU_ASSERT_FALSE(subid_find(text, "nobody", 5, &first, &size));
	CU_ASSERT_FALSE(subid_find("", "me", 5, &first, &size));
	CU_ASSERT_FALSE(subid_find("me:0:5", "me", 5, &first, &size)); // root isn't subordinate
	CU_ASSERT_EQUAL(first, 7);
	CU_ASSERT_TRUE(subid_find("me:1:5", "me", 5, &first, &size)); // a last line without an end
}

static int parse(struct spec_idmaps *maps, struct arena *arena, const char *text)
{
	struct err err = { 0 };
	int result = subid_parse_map(arena, "--uidmap", text, maps, &err);
	CU_ASSERT_EQUAL(result < 0, strstr(err.msg, "--uidmap") != NULL);
	return result;
}

TEST(subid, maps)
{
	own_arena struct arena arena = { 0 };
	struct spec_idmaps maps = { 0 };
	CU_ASSERT_EQUAL(parse(&maps, &arena, "0:100000:1000"), 0);
	CU_ASSERT_EQUAL(parse(&maps, &arena, "1000:5"), 0);
	CU_ASSERT_EQUAL(parse(&maps, &arena, "4294967294:4294967294:1"), 0);
	CU_ASSERT_EQUAL_FATAL(maps.count, 3);
	CU_ASSERT_EQUAL(maps.items[0].size, 1000);
	CU_ASSERT_EQUAL(maps.items[1].size, 1);
	CU_ASSERT_EQUAL(maps.items[1].host, 5);
	static const char *const wrong[] = { "",
					     "0",
					     "a:0:1",
					     "0:a:1",
					     "0:0:a",
					     "0:0:0",
					     "0:0:1:1",
					     "-1:0:1",
					     "4294967295:0:1",
					     "2000:4294967290:10",
					     "0:0:4294967296",
					     " 1:1:1",
					     "999:7:1" /* inside */,
					     "2000:100999:1" /* outside */,
					     "0:200000:5" /* inside */ };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(parse(&maps, &arena, wrong[i]), -1);
	CU_ASSERT_EQUAL(maps.count, 3);
	CU_ASSERT_EQUAL(parse(&maps, &arena, "2000:101000:1"), 0); // next to it is fine
}

TEST(subid, of_root_depend_on_the_container_alone)
{
	own_arena struct arena arena = { 0 };
	struct spec_idmaps a = { 0 }, b = { 0 }, gids = { 0 };
	subid_root_maps(&arena, "one", &a, &gids);
	subid_root_maps(&arena, "one", &b, &gids);
	CU_ASSERT_EQUAL_FATAL(a.count, 1);
	CU_ASSERT_EQUAL(a.items[0].container, 0);
	CU_ASSERT_EQUAL(a.items[0].host, b.items[0].host);
	CU_ASSERT_TRUE(a.items[0].size > 0);
	CU_ASSERT_TRUE((uint64_t)a.items[0].host + a.items[0].size < UINT32_MAX);
	CU_ASSERT_EQUAL(gids.count, 1);
}
