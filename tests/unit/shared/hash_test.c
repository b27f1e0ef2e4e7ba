// SPDX-License-Identifier: GPL-2.0-or-later
// hash_test.c - a number for some bytes
#include "shared/hash.h"
#include "tests/unit/unit.h"

// The published values of FNV-1a: names of files that an older coso made stay right.
TEST(hash, is_fnv_1a)
{
	CU_ASSERT_EQUAL(hash_bytes("", 0), UINT64_C(0xcbf29ce484222325));
	CU_ASSERT_EQUAL(hash_bytes("a", 1), UINT64_C(0xaf63dc4c8601ec8c));
	CU_ASSERT_EQUAL(hash_bytes("foobar", 6), UINT64_C(0x85944171f73967e8));
	CU_ASSERT_NOT_EQUAL(hash_bytes("a\0b", 3), hash_bytes("a\0c", 3));
}
