// SPDX-License-Identifier: GPL-2.0-or-later
// num_test.c - strict numbers
#include "shared/num.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>

// What never is a number, an id, a size or a decimal.
static const char *const never[] = { "",
				     " ",
				     "-",
				     "+1",
				     " 1",
				     "1 ",
				     "0x1",
				     "1e3",
				     "a",
				     "--1",
				     "1-",
				     "１",
				     "1.2.3",
				     ".",
				     "1.",
				     "1,5",
				     "99999999999999999999",
				     "18446744073709551616",
				     "1\n",
				     "\t1",
				     NULL };

TEST(num, u64_takes_digits_in_range)
{
	uint64_t out = 7;
	CU_ASSERT_EQUAL(num_u64("n", "0", 0, 10, &out, NULL), 0);
	CU_ASSERT_EQUAL(out, 0);
	CU_ASSERT_EQUAL(num_u64("n", "18446744073709551615", 0, UINT64_MAX, &out, NULL), 0);
	CU_ASSERT_EQUAL(out, UINT64_MAX);
	CU_ASSERT_EQUAL(num_u64("n", "00010", 10, 10, &out, NULL), 0);
	CU_ASSERT_EQUAL(out, 10);
}

TEST(num, u64_refuses_the_rest_and_leaves_out_alone)
{
	struct err err = { 0 };
	uint64_t out = 7;
	CU_ASSERT_EQUAL(num_u64("n", ".5", 0, UINT64_MAX, &out, NULL), -1);
	for (const char *const *text = never; *text; text++)
		CU_ASSERT_EQUAL(num_u64("n", *text, 0, UINT64_MAX, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_u64("n", "-1", 0, UINT64_MAX, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_u64("n", "4", 5, 10, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_u64("--pids-limit", "11", 5, 10, &out, &err), -1);
	CU_ASSERT_EQUAL(out, 7);
	CU_ASSERT_STRING_EQUAL(err.msg, "--pids-limit '11': not a whole number from 5 to 10");
}

TEST(num, i64_takes_one_minus)
{
	int64_t out = 0;
	CU_ASSERT_EQUAL(num_i64("n", "-1", -1, 10, &out, NULL), 0);
	CU_ASSERT_EQUAL(out, -1);
	CU_ASSERT_EQUAL(num_i64("n", "9223372036854775807", INT64_MIN, INT64_MAX, &out, NULL), 0);
	CU_ASSERT_EQUAL(out, INT64_MAX);
	CU_ASSERT_EQUAL(num_i64("n", "9223372036854775808", INT64_MIN, INT64_MAX, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_i64("n", "-2", -1, 10, &out, NULL), -1);
	for (const char *const *text = never; *text; text++)
		CU_ASSERT_EQUAL(num_i64("n", *text, INT64_MIN, INT64_MAX, &out, NULL), -1);
	CU_ASSERT_EQUAL(out, INT64_MAX);
}

TEST(num, id_ends_before_the_one_that_means_none)
{
	uint32_t out = 7;
	CU_ASSERT_EQUAL(num_id("--user", "4294967294", &out, NULL), 0);
	CU_ASSERT_EQUAL(out, 4294967294U);
	// An id that wraps to 0 would be root: CVE-2024-40635.
	static const char *const wrong[] = { "4294967295", "4294967296", "18446744073709551616", "-1", "root", "01x", NULL };
	for (const char *const *text = wrong; *text; text++)
		CU_ASSERT_EQUAL(num_id("--user", *text, &out, NULL), -1);
	CU_ASSERT_EQUAL(out, 4294967294U);
}

TEST(num, size_knows_units)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} right[] = {
		{ "0", 0 },
		{ "17", 17 },
		{ "17b", 17 },
		{ "1k", 1024 },
		{ "1K", 1024 },
		{ "1kb", 1024 },
		{ "1KiB", 1024 },
		{ "64m", 64ULL << 20 },
		{ "1g", 1ULL << 30 },
		{ "3GiB", 3ULL << 30 },
		{ "2T", 2ULL << 40 },
		{ "9223372036854775807", INT64_MAX },
		{ "8388607t", 8388607ULL << 40 },
	};
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		uint64_t out = 1;
		CU_ASSERT_EQUAL(num_size("--memory", right[i].text, &out, NULL), 0);
		CU_ASSERT_EQUAL(out, right[i].bytes);
	}
}

TEST(num, size_refuses_the_rest)
{
	static const char *const wrong[] = { "m",        "1x",
					     "1mm",      "1 m",
					     "1.5g",     ".5",
					     ".5g",      "-1m",
					     "1bb",      "1ib",
					     "1mib2",    "9223372036854775808",
					     "8388608t", "18446744073709551615k",
					     NULL };
	uint64_t out = 7;
	for (const char *const *text = wrong; *text; text++)
		CU_ASSERT_EQUAL(num_size("--memory", *text, &out, NULL), -1);
	for (const char *const *text = never; *text; text++)
		CU_ASSERT_EQUAL(num_size("--memory", *text, &out, NULL), -1);
	CU_ASSERT_EQUAL(out, 7);
}

TEST(num, decimal_scales)
{
	static const struct {
		const char *text;
		uint64_t value;
	} right[] = { { "1.5", 1500 }, { "0", 0 },      { "0.001", 1 }, { "0.0009", 0 },
		      { "2", 2000 },   { "0.25", 250 }, { ".5", 500 },  { "1.23456", 1234 } };
	uint64_t out = 0;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		CU_ASSERT_EQUAL(num_decimal("--cpus", right[i].text, 1000, &out, NULL), 0);
		CU_ASSERT_EQUAL(out, right[i].value);
	}
	for (const char *const *text = never; *text; text++)
		CU_ASSERT_EQUAL(num_decimal("--cpus", *text, 1000, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_decimal("--cpus", "18446744073709551615", 1000, &out, NULL), -1);
	CU_ASSERT_EQUAL(num_decimal("--cpus", "-1", 1000, &out, NULL), -1);
	CU_ASSERT_EQUAL(out, 1234);
}

TEST(num, cidr_of_both_families)
{
	struct num_cidr out = { 0 };
	struct in6_addr v6;
	CU_ASSERT_EQUAL(num_cidr("-subnet", "10.11.0.7/16", &out, NULL), 0);
	CU_ASSERT_EQUAL(out.family, AF_INET);
	CU_ASSERT_EQUAL(out.prefix, 16);
	CU_ASSERT_EQUAL(ntohl(out.addr.v4.s_addr), 0x0a0b0007);
	CU_ASSERT_EQUAL(num_cidr("-subnet", "192.0.2.1", &out, NULL), 0);
	CU_ASSERT_EQUAL(out.prefix, 32);
	CU_ASSERT_EQUAL(num_cidr("-subnet", "fd00::1/64", &out, NULL), 0);
	inet_pton(AF_INET6, "fd00::1", &v6);
	CU_ASSERT_EQUAL(out.family, AF_INET6);
	CU_ASSERT_EQUAL(out.prefix, 64);
	CU_ASSERT_EQUAL(memcmp(&out.addr.v6, &v6, sizeof(v6)), 0);
}

TEST(num, cidr_refuses_the_rest)
{
	static const char *const wrong[] = { "",
					     "/",
					     "10.0.0.1/",
					     "10.0.0.1/33",
					     "10.0.0.1/-1",
					     "10.0.0/8",
					     "10.0.0.256",
					     "10.0.0.1/8/8",
					     "fd00::/129",
					     "fd00:::1",
					     "010.0.0.1x",
					     "10.0.0.1 /8",
					     "host",
					     "0xa000001",
					     "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
					     NULL };
	struct num_cidr out = { .family = 7 };
	for (const char *const *text = wrong; *text; text++)
		CU_ASSERT_EQUAL(num_cidr("-subnet", *text, &out, NULL), -1);
	CU_ASSERT_EQUAL(out.family, 7);
}
