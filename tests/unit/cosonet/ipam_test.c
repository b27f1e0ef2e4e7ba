// SPDX-License-Identifier: GPL-2.0-or-later
// ipam_test.c - pools, candidates, addresses and lease names
#include "cosonet/ipam.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct num_cidr cidr(const char *text)
{
	struct num_cidr out = { 0 };
	CU_ASSERT_EQUAL_FATAL(num_cidr("test", text, &out, NULL), 0);
	return out;
}

static void check_pool(const char *gateway, bool publishes, uint32_t expected)
{
	struct num_cidr net = cidr(gateway);
	struct ipam_pool pool = ipam_pool(&net, publishes);
	uint32_t size = 1U << (32 - net.prefix);
	unsigned char *seen = calloc(size, 1);
	CU_ASSERT_EQUAL(ipam_count(&pool), expected);
	for (uint32_t n = 0; n < expected; n++) {
		uint32_t host = ipam_candidate(&pool, "some-id", n);
		CU_ASSERT_FATAL(host > 0 && host < size - 1);
		CU_ASSERT_NOT_EQUAL(host, ipam_host(&net, &net));
		CU_ASSERT_FALSE(seen[host]);
		seen[host] = 1;
	}
	CU_ASSERT_EQUAL(ipam_candidate(&pool, "some-id", expected), 0);
	free(seen);
}

TEST(ipam, every_candidate_comes_once_and_is_no_special_address)
{
	check_pool("10.0.0.1/30", false, 1);
	check_pool("10.0.0.1/29", false, 5);
	check_pool("10.0.0.6/29", true, 5);
	check_pool("10.0.0.3/29", true, 5);
	check_pool("10.0.0.1/24", false, 126);
	check_pool("10.0.0.1/24", true, 127);
	check_pool("10.0.0.254/24", true, 126);
	check_pool("10.209.0.1/20", false, 2046);
}

TEST(ipam, halves_do_not_overlap)
{
	struct num_cidr net = cidr("10.0.0.1/24"), small = cidr("10.0.0.1/25");
	struct ipam_pool plain = ipam_pool(&net, false), publishing = ipam_pool(&net, true);
	CU_ASSERT_TRUE(plain.last < publishing.first);
	CU_ASSERT_TRUE(ipam_is_split(&net));
	CU_ASSERT_FALSE(ipam_is_split(&small));
}

TEST(ipam, addresses_of_both_families)
{
	struct num_cidr four = cidr("10.209.0.1/20"), six = cidr("fd00:1:2:3::1/64"), one;
	char text[INET6_ADDRSTRLEN];
	one = ipam_address(&four, 0x102);
	CU_ASSERT_STRING_EQUAL(inet_ntop(AF_INET, &one.addr, text, sizeof(text)), "10.209.1.2");
	CU_ASSERT_EQUAL(ipam_host(&four, &one), 0x102);
	one = ipam_address(&six, 0x102);
	CU_ASSERT_STRING_EQUAL(inet_ntop(AF_INET6, &one.addr, text, sizeof(text)), "fd00:1:2:3::102");
	CU_ASSERT_EQUAL(one.prefix, 64);
	struct num_cidr other = cidr("10.210.0.1/20");
	CU_ASSERT_EQUAL(ipam_host(&four, &other), 0);
	CU_ASSERT_EQUAL(ipam_host(&four, &six), 0);
}

TEST(ipam, lease_names_go_there_and_back)
{
	char name[IFNAMSIZ], other[IFNAMSIZ];
	struct in_addr address = cidr("10.209.1.2").addr.v4, back = { 0 };
	ipam_lease_name(name, "coso0", address);
	CU_ASSERT_EQUAL(strlen(name), 15);
	CU_ASSERT_TRUE(ipam_lease_parse(name, "coso0", &back));
	CU_ASSERT_EQUAL(back.s_addr, address.s_addr);
	CU_ASSERT_FALSE(ipam_lease_parse(name, "coso1", &back));
	ipam_lease_name(other, "coso1", address);
	CU_ASSERT_STRING_NOT_EQUAL(name, other);
	name[14] = 'g';
	CU_ASSERT_FALSE(ipam_lease_parse(name, "coso0", &back));
	CU_ASSERT_FALSE(ipam_lease_parse("", "coso0", &back));
	CU_ASSERT_FALSE(ipam_lease_parse("veth0", "coso0", &back));
}
