// SPDX-License-Identifier: GPL-2.0-or-later
// publish_test.c - what COSO_PUBLISH may say
#include "cosonet/publish.h"
#include "tests/unit/unit.h"

#include <string.h>

static size_t count_of(const char *text)
{
	own_arena struct arena arena = { 0 };
	struct publish_list list = { 0 };
	struct err err = { 0 };
	if (publish_parse(&arena, text, &list, &err) < 0) {
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "COSO_PUBLISH"));
		CU_ASSERT_PTR_NULL(strchr(err.msg, '\n'));
		return (size_t)-1;
	}
	return list.count;
}

TEST(publish, takes_each_form)
{
	own_arena struct arena arena = { 0 };
	struct publish_list list = { 0 };
	const char *text = "80:8080,1.2.3.4:90-92:190-192/udp,[fd00::1]:5:6/tcp,0.0.0.0:7:7";
	CU_ASSERT_EQUAL_FATAL(publish_parse(&arena, text, &list, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(list.count, 4);
	CU_ASSERT_EQUAL(list.items[0].host_port, 80);
	CU_ASSERT_EQUAL(list.items[0].container_port, 8080);
	CU_ASSERT_EQUAL(list.items[0].address.family, 0);
	CU_ASSERT_TRUE(publish_covers(&list.items[0], AF_INET) && publish_covers(&list.items[0], AF_INET6));
	CU_ASSERT_EQUAL(list.items[1].proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(list.items[1].count, 3);
	CU_ASSERT_EQUAL(list.items[1].address.prefix, 32);
	CU_ASSERT_FALSE(publish_covers(&list.items[1], AF_INET6));
	CU_ASSERT_EQUAL(list.items[2].address.family, AF_INET6);
	CU_ASSERT_EQUAL(list.items[3].address.prefix, 0);
	CU_ASSERT_EQUAL(count_of(NULL), 0);
	CU_ASSERT_EQUAL(count_of(""), 0);
	CU_ASSERT_EQUAL(count_of("1-65535:1-65535"), 1);
	CU_ASSERT_EQUAL(count_of("80:1,80:1/udp"), 2);
	CU_ASSERT_EQUAL(count_of("1.1.1.1:80:1,1.1.1.2:80:1"), 2);
}

TEST(publish, refuses_the_rest)
{
	static const char *const wrong[] = { "80",
					     ":",
					     "a:b",
					     "0:1",
					     "1:0",
					     "65536:1",
					     "1:65536",
					     "2-1:2-1",
					     "1-2:1-3",
					     "1:2/sctp",
					     "1:2/",
					     "1:2,",
					     ",1:2",
					     "1:2,1:3",
					     "1-5:1-5,5:9",
					     "::1:1:2",
					     "[::1]:1",
					     "1.2.3:1:2",
					     "1.2.3.4/8:1:2",
					     " 1:2",
					     "+1:2",
					     "1:2,1.1.1.1:1:9",
					     "111111111111111111111:2" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_EQUAL(count_of(wrong[i]), (size_t)-1);
}
