// SPDX-License-Identifier: GPL-2.0-or-later
// newmount_test.c - which options a file system is told
#include "coso/launch/launch.h"
#include "coso/launch/newmount.h"
#include "tests/unit/unit.h"

// The options as one text, "key=value" or "key", separated by ';'.
static const char *split(struct arena *arena, const char *type, const char *data, struct mounts_option label)
{
	const struct spec_mount mount = { .type = type, .data = data };
	struct launch launch = { .arena = arena, .mounts.label = label };
	struct mounts_item item = { .mount = &mount };
	const char *text = "";
	newmount_split(&launch, &item);
	for (size_t i = 0; i < item.option_count; i++)
		text = arena_printf(arena, "%s%s%s%s;", text, item.options[i].key, item.options[i].value ? "=" : "",
				    item.options[i].value ? item.options[i].value : "");
	return text;
}

TEST(newmount, options)
{
	own_arena struct arena arena = { 0 };
	const struct mounts_option none = { 0 }, label = { "context", "a:b:c" };
	CU_ASSERT_STRING_EQUAL(split(&arena, "tmpfs", NULL, none), "");
	CU_ASSERT_STRING_EQUAL(split(&arena, "tmpfs", "", none), "");
	CU_ASSERT_STRING_EQUAL(split(&arena, "tmpfs", "size=1m,sync,,mode=", none), "size=1m;sync;mode=;");
	CU_ASSERT_STRING_EQUAL(split(&arena, "overlay", "lowerdir=/a=b:/c", none), "lowerdir=/a=b:/c;");
	CU_ASSERT_STRING_EQUAL(split(&arena, "tmpfs", "size=1m", label), "size=1m;context=a:b:c;");
	CU_ASSERT_STRING_EQUAL(split(&arena, "devpts", NULL, label), "context=a:b:c;");
	CU_ASSERT_STRING_EQUAL(split(&arena, "proc", NULL, label), "");
	CU_ASSERT_STRING_EQUAL(split(&arena, "sysfs", NULL, label), "");
	CU_ASSERT_STRING_EQUAL(split(&arena, "mqueue", NULL, label), "");
}
