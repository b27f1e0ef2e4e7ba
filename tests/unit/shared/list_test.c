// SPDX-License-Identifier: GPL-2.0-or-later
// list_test.c - lists of CPUs and of memory nodes
#include "shared/list.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

static bool has(const struct list *list, unsigned int number)
{
	return list->bits[number / LIST_WORD] >> number % LIST_WORD & 1;
}

TEST(list, numbers_and_ranges)
{
	struct list list = { 0 }, same = { 0 };
	CU_ASSERT_EQUAL(list_parse("cpus", "0-2,5,64,8191", &list, NULL), 0);
	CU_ASSERT(has(&list, 0) && has(&list, 1) && has(&list, 2) && has(&list, 5) && has(&list, 64) && has(&list, 8191));
	CU_ASSERT(!has(&list, 3) && !has(&list, 4) && !has(&list, 63) && !has(&list, 65) && !has(&list, 8190));
	CU_ASSERT_EQUAL(list_parse("cpus", "8191,64,0,1-1,2,005", &same, NULL), 0);
	CU_ASSERT(list_eq(&list, &same));
	CU_ASSERT_EQUAL(list_parse("cpus", "0-8191", &list, NULL), 0);
	CU_ASSERT_EQUAL(list_parse("cpus", "0-4000,3000-8191", &same, NULL), 0);
	CU_ASSERT(list_eq(&list, &same));
	CU_ASSERT_EQUAL(list_parse("cpus", "0-8190", &same, NULL), 0);
	CU_ASSERT(!list_eq(&list, &same));
}

TEST(list, nothing_is_an_empty_list)
{
	struct list list = { .bits = { 1 } };
	CU_ASSERT(!list_is_empty(&list));
	CU_ASSERT_EQUAL(list_parse("cpus", "", &list, NULL), 0);
	CU_ASSERT(list_is_empty(&list));
}

TEST(list, what_is_no_list)
{
	static const char *const wrong[] = {
		"-",   "-1",  "1-",  "1--2", "1-0",  "0-1-2", "8192", "0-8192", "99999999999999999999999", "a", "0x1", "1.5",
		"1;2", "0\n", "\t0", "0 -1", "0- 1", "+1",    "all",  "0-7:1/2"
	};
	struct list list = { .bits = { 42 } };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err err = { 0 };
		CU_ASSERT_EQUAL(list_parse("cpus", wrong[i], &list, &err), -1);
		CU_ASSERT_EQUAL(err.code, EINVAL);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "cpus '"));
		CU_ASSERT_EQUAL(list.bits[0], 42); // untouched
	}
}
