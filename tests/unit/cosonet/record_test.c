// SPDX-License-Identifier: GPL-2.0-or-later
// record_test.c - a bridge's record goes into its alias and comes back; comments name their owner
#include "cosonet/fw.h"
#include "cosonet/record.h"
#include "tests/unit/unit.h"

#include <string.h>

TEST(record, goes_there_and_back)
{
	struct record in = { .ready = true, .fw = FW_NFTABLES, .mtu = 65535, .forward4 = 0, .redirects4 = 1, .forward6 = -1 }, out;
	char text[RECORD_MAX];
	num_cidr("test", "255.255.255.255/32", &in.net4, NULL);
	num_cidr("test", "fd01:2345:6789:abcd:ef01:2345:6789:abcd/128", &in.net6, NULL);
	CU_ASSERT_EQUAL_FATAL(record_print(&in, text), 0);
	CU_ASSERT_TRUE_FATAL(record_parse(text, &out));
	CU_ASSERT_TRUE(out.ready);
	CU_ASSERT_EQUAL(out.fw, FW_NFTABLES);
	CU_ASSERT_EQUAL(out.mtu, 65535);
	CU_ASSERT_EQUAL(out.forward4, 0);
	CU_ASSERT_EQUAL(out.redirects4, 1);
	CU_ASSERT_EQUAL(out.forward6, -1);
	CU_ASSERT_EQUAL(out.net6.family, AF_INET6);
	CU_ASSERT_EQUAL(out.net6.prefix, in.net6.prefix);
	CU_ASSERT_EQUAL(memcmp(&in.net6.addr.v6, &out.net6.addr.v6, sizeof(in.net6.addr.v6)), 0);
	in.ready = false;
	in.net6 = (struct num_cidr){ 0 };
	CU_ASSERT_EQUAL_FATAL(record_print(&in, text), 0);
	CU_ASSERT_TRUE_FATAL(record_parse(text, &out));
	CU_ASSERT_FALSE(out.ready);
	CU_ASSERT_EQUAL(out.net6.family, 0);
}

TEST(record, refuses_what_is_none)
{
	static const char *const wrong[] = { "",
					     "coso1",
					     "coso1 ready",
					     "coso1 ready net4=x",
					     "coso2 ready net4=10.0.0.1/24",
					     "somebody's alias",
					     "coso1 ready net4=10.0.0.1/24 what=1",
					     "coso1 ready net4=fd00::1/64",
					     "coso1 ready net4=10.0.0.1/24 f4=7",
					     "coso1 ready net4=10.0.0.1/24 fw=pf" };
	struct record out;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_FALSE(record_parse(wrong[i], &out));
	CU_ASSERT_FALSE(record_parse(NULL, &out));
}

TEST(record, comments_name_their_owner)
{
	struct fw_lease lease = { .veth = "coffh4m0ad10b07",
				  .owner = "0123456789012345678901234567890123456789012345678901234567890123@89abcdef" };
	struct fw_owner owner;
	char text[FW_COMMENT];
	fw_comment(text, "fifteen-letters", &lease);
	CU_ASSERT_TRUE_FATAL(fw_owner_parse(text, &owner));
	CU_ASSERT_STRING_EQUAL(owner.bridge, "fifteen-letters");
	CU_ASSERT_STRING_EQUAL(owner.veth, lease.veth);
	CU_ASSERT_STRING_EQUAL(owner.owner, lease.owner);
	CU_ASSERT_STRING_EQUAL(owner.id, "0123456789012345678901234567890123456789012345678901234567890123");
	fw_comment(text, "coso0", NULL);
	CU_ASSERT_TRUE_FATAL(fw_owner_parse(text, &owner));
	CU_ASSERT_STRING_EQUAL(owner.veth, "");
	CU_ASSERT_FALSE(fw_owner_parse("coso ", &owner));
	CU_ASSERT_FALSE(fw_owner_parse("coso a b", &owner));
	CU_ASSERT_FALSE(fw_owner_parse("coso a b c d", &owner));
	CU_ASSERT_FALSE(fw_owner_parse("coso sixteen-letters-", &owner));
	CU_ASSERT_FALSE(fw_owner_parse("somebody else's", &owner));
}

TEST(record, sweeps_take_what_they_name)
{
	struct fw_owner bridge = { .bridge = "b" }, port = { .bridge = "b", .veth = "no-such-link", .owner = "i@1", .id = "i" };
	CU_ASSERT_FALSE(fw_sweep_takes(&(struct fw_sweep){ .dead = true }, &bridge));
	CU_ASSERT_TRUE(fw_sweep_takes(&(struct fw_sweep){ .dead = true }, &port));
	CU_ASSERT_TRUE(fw_sweep_takes(&(struct fw_sweep){ .owner = "i@1" }, &port));
	CU_ASSERT_FALSE(fw_sweep_takes(&(struct fw_sweep){ .owner = "i@2" }, &port));
	CU_ASSERT_TRUE(fw_sweep_takes(&(struct fw_sweep){ .veth = "no-such-link" }, &port));
	CU_ASSERT_FALSE(fw_sweep_takes(&(struct fw_sweep){ .bridge = "c", .everything = true }, &port));
	CU_ASSERT_TRUE(fw_sweep_takes(&(struct fw_sweep){ .bridge = "b", .everything = true }, &bridge));
}
