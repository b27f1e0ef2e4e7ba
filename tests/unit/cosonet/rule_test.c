// SPDX-License-Identifier: GPL-2.0-or-later
// rule_test.c - rules of legacy tables: what is read back is what was written
#include "cosonet/rule.h"
#include "tests/unit/unit.h"

#include <stddef.h>
#include <string.h>

static void there_and_back(int family, const char *host, const char *to)
{
	struct rule in = { .verdict = RULE_DNAT,
			   .proto = IPPROTO_UDP,
			   .port = 8000,
			   .count = 11,
			   .to_port = 80,
			   .comment = "coso b v i" },
		    out;
	_Alignas(max_align_t) unsigned char entry[RULE_MAX];
	num_cidr("test", host, &in.destination, NULL);
	num_cidr("test", to, &in.to, NULL);
	size_t size = rule_encode(&in, family, entry);
	CU_ASSERT_TRUE(size > 0 && size < RULE_MAX && size % 8 == 0);
	rule_decode(entry, family, &out);
	CU_ASSERT_EQUAL(out.verdict, RULE_DNAT);
	CU_ASSERT_EQUAL(out.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(out.port, 8000);
	CU_ASSERT_EQUAL(out.count, 11);
	CU_ASSERT_EQUAL(out.to_port, 80);
	CU_ASSERT_EQUAL(out.destination.prefix, in.destination.prefix);
	CU_ASSERT_EQUAL(out.to.family, family);
	CU_ASSERT_EQUAL(memcmp(&out.to.addr, &in.to.addr, family == AF_INET ? sizeof(in.to.addr.v4) : sizeof(in.to.addr.v6)), 0);
	CU_ASSERT_STRING_EQUAL(out.comment, "coso b v i");
	CU_ASSERT_STRING_EQUAL(rule_comment(entry, family), "coso b v i");
}

TEST(rule, of_a_published_port_goes_there_and_back)
{
	there_and_back(AF_INET, "192.0.2.1", "10.209.8.1");
	there_and_back(AF_INET6, "2001:db8::1", "fd00::801");
}

TEST(rule, without_a_comment_has_an_empty_one)
{
	struct rule in = { .verdict = RULE_DROP };
	_Alignas(max_align_t) unsigned char entry[RULE_MAX];
	rule_encode(&in, AF_INET, entry);
	CU_ASSERT_STRING_EQUAL(rule_comment(entry, AF_INET), "");
}
