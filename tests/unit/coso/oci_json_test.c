// SPDX-License-Identifier: GPL-2.0-or-later
// oci_json_test.c - JSON read value by value
#include "coso/spec/oci_json.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static json_t *parse(const char *text, struct err *err)
{
	*err = (struct err){ 0 };
	return oci_json_parse("it", text, strlen(text), err);
}

TEST(oci_json, what_is_no_json)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{ "", "it: line 1, column 0: not JSON" },
		{ "{", "not JSON" },
		{ "{} x", "not JSON: end of file expected" },
		{ "{\"a\":1,\n\"a\":2}", "line 2, column 3: not JSON: duplicate object key" },
		{ "[1e999]", "not JSON: real number overflow" },
		{ "[18446744073709551616]", "not JSON: too big integer" },
		{ "[-9223372036854775809]", "not JSON: too big negative integer" },
		{ "[\"\xff\"]", "not JSON" },
		{ "[\x1b[31m]", "not JSON: invalid token near '?'" },
		{ "[18446744073709551615, \"\\", "not JSON" },
		{ "[18446744073709551615", "not JSON" },
		{ "[\"\\u0000\"]", "not JSON" },
	};
	struct err err;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_PTR_NULL(parse(wrong[i].text, &err));
		if (!strstr(err.msg, wrong[i].message)) {
			printf("\n'%s' isn't in '%s'", wrong[i].message, err.msg);
			CU_FAIL(wrong[i].text);
		}
	}
	CU_ASSERT_PTR_NULL(oci_json_parse("it", "{} ", 1, &err)); // the size counts, not a NUL
}

// Each number alone and beside one that needs the second parse.
TEST(oci_json, integers_of_64_bits)
{
	static const struct {
		const char *text;
		bool negative;
		uint64_t bits;
	} rows[] = {
		{ "0", false, 0 },
		{ "-1", true, UINT64_MAX },
		{ "9223372036854775807", false, INT64_MAX },
		{ "9223372036854775808", false, UINT64_C(9223372036854775808) },
		{ "18446744073709551615", false, UINT64_MAX },
		{ "-9223372036854775808", true, UINT64_C(9223372036854775808) },
	};
	own_arena struct arena arena = { 0 };
	struct err err;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2; i++) {
		bool negative = false;
		uint64_t bits = 0;
		json_auto_t *tree = parse(arena_printf(&arena, "[%s,\"18446744073709551615 \\\" 9223372036854775808\",1.5,%s]",
						       rows[i / 2].text, i % 2 ? "9223372036854775809" : "1"),
					  &err);
		CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
		CU_ASSERT_TRUE(oci_integer(json_array_get(tree, 0), &negative, &bits));
		CU_ASSERT_EQUAL(negative, rows[i / 2].negative);
		CU_ASSERT_EQUAL(bits, rows[i / 2].bits);
		CU_ASSERT_STRING_EQUAL(json_string_value(json_array_get(tree, 1)), "18446744073709551615 \" 9223372036854775808");
		CU_ASSERT_FALSE(oci_integer(json_array_get(tree, 1), &negative, &bits));
		CU_ASSERT_FALSE(oci_integer(json_array_get(tree, 2), &negative, &bits));
	}
	json_auto_t *tree =
		parse("[\"18446744073709551615\",1.0,1e3,true,null,{\"9223372036854775808\":9223372036854775808}]", &err);
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_FALSE(oci_integer(json_array_get(tree, i), &(bool){ false }, &(uint64_t){ 0 }));
	CU_ASSERT_PTR_NOT_NULL(json_object_get(json_array_get(tree, 5), "9223372036854775808"));
}

#define NODE(text)                                                                                                                 \
	json_auto_t *tree = sample_json(text);                                                                                     \
	own_arena struct arena arena = { 0 };                                                                                      \
	const struct oci_node node = { .value = tree };                                                                            \
	struct err err = { 0 }

TEST(oci_json, what_is_null_is_not_there)
{
	NODE("{'a':null}");
	struct oci_node out;
	uint64_t number = 7;
	const char *text = "as it was";
	struct strv list = { .count = 3 };
	bool flag = true;
	static const char *const keys[] = { "a", "b" };
	for (size_t i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(oci_object(&node, keys[i], &out, &err), 0);
		CU_ASSERT_PTR_NULL(out.value);
		CU_ASSERT_EQUAL(oci_array(&node, keys[i], &out, &err), 0);
		CU_ASSERT_EQUAL(oci_count(&out), 0);
		CU_ASSERT_EQUAL(oci_u64(&node, keys[i], 5, &number, &err), 0);
		CU_ASSERT_EQUAL(oci_string(&arena, &node, keys[i], &text, &err), 0);
		CU_ASSERT_EQUAL(oci_strings(&arena, &node, keys[i], &list, &err), 0);
		CU_ASSERT_EQUAL(oci_bool(&node, keys[i], &flag, &err), 0);
		CU_ASSERT_EQUAL(oci_require(&node, keys[i], &err), -1);
	}
	CU_ASSERT_TRUE(number == 7 && flag && list.count == 3);
	CU_ASSERT_STRING_EQUAL(text, "as it was");
	CU_ASSERT_STRING_EQUAL(err.msg, "b: is missing");
}

TEST(oci_json, an_empty_string_stands_for_nothing)
{
	static const struct oci_word words[] = { { "one", 1 }, { NULL, 0 } };
	NODE("{'a':'','b':'x','list':['','y']}");
	const char *text = "as it was";
	struct strv list = { 0 };
	int64_t word = 5;
	CU_ASSERT_EQUAL(oci_string(&arena, &node, "a", &text, &err), 0);
	CU_ASSERT_STRING_EQUAL(text, "as it was");
	CU_ASSERT_EQUAL(oci_string(&arena, &node, "b", &text, &err), 0);
	CU_ASSERT_STRING_EQUAL(text, "x");
	CU_ASSERT_EQUAL(oci_word(&node, "a", words, "is wrong", &word, &err), 0);
	CU_ASSERT_EQUAL(word, 5);
	CU_ASSERT_EQUAL(oci_strings(&arena, &node, "list", &list, &err), 0); // but in a list it is an item
	CU_ASSERT_EQUAL_FATAL(list.count, 2);
	CU_ASSERT_STRING_EQUAL(list.items[0], "");
	CU_ASSERT_PTR_NULL(list.items[2]);
}

TEST(oci_json, places_and_values)
{
	NODE("{'a':[{'b c':'\\u001b[31m\\nend'}],'long':'"
	     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789'}");
	struct oci_node array, entry;
	CU_ASSERT_EQUAL(oci_array(&node, "a", &array, &err), 0);
	CU_ASSERT_EQUAL(oci_entry(&array, 0, &entry, &err), 0);
	CU_ASSERT_EQUAL(oci_bad_member(&entry, "b c", "is wrong", &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "a[0][\"b c\"]: \"\\u001B[31m\\nend\" is wrong");
	CU_ASSERT_EQUAL(oci_entry(&array, 1, &entry, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "a[1]: is not an object");
	oci_bad_member(&node, "long", "is long", &err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "long: \"0123456789012345678901234567890"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "... is long"));
	CU_ASSERT_TRUE(strlen(err.msg) < 110);
	oci_bad(&node, "is it", &err);
	CU_ASSERT_STRING_EQUAL(err.msg, "the configuration: is it");
	const struct oci_node named = { .value = tree, .key = "linux.resources" };
	oci_bad_member(&named, "x", "is it", &err);
	CU_ASSERT_STRING_EQUAL(err.msg, "linux.resources.x: is it");
}

TEST(oci_json, a_place_of_any_length)
{
	own_arena struct arena arena = { 0 };
	struct oci_node chain[100] = { 0 };
	struct err err = { 0 };
	char place[OCI_PLACE];
	for (size_t i = 1; i < 100; i++)
		chain[i] = (struct oci_node){ .up = &chain[i - 1], .key = "\xc3\xa9 and more than a name" };
	oci_place(&chain[99], place);
	CU_ASSERT_EQUAL(strlen(place), OCI_PLACE - 1);
	oci_bad(&chain[99], "is far away", &err);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "is far away"));
}

// Characters that would be cut are left out.
TEST(oci_json, a_long_value_stays_utf8)
{
	own_arena struct arena arena = { 0 };
	for (int shift = 0; shift < 4; shift++) {
		const char *text = arena_printf(
			&arena, "%.*s%s", shift, "xxxx",
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
			"\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
		json_auto_t *value = json_string(text);
		char shown[OCI_SHOWN];
		oci_show(value, shown);
		json_auto_t *again = json_string(shown);
		CU_ASSERT_PTR_NOT_NULL(again);
		CU_ASSERT_PTR_NOT_NULL(strstr(shown, "..."));
	}
}

TEST(oci_json, numbers_in_their_ranges)
{
	NODE("{'a':-1,'b':300,'c':'5','d':1.5,'e':18446744073709551615,'f':true}");
	uint64_t u = 1;
	int64_t i = 1;
	uint32_t u32 = 1;
	struct spec_number n = { 0 };
	CU_ASSERT_EQUAL(oci_i64(&node, "a", -1, 5, &i, &err), 0);
	CU_ASSERT_EQUAL(i, -1);
	CU_ASSERT_EQUAL(oci_number(&node, "a", -1, 5, &n, &err), 0);
	CU_ASSERT_TRUE(n.given && n.value == -1);
	CU_ASSERT_EQUAL(oci_u64(&node, "e", UINT64_MAX, &u, &err), 0);
	CU_ASSERT_EQUAL(u, UINT64_MAX);
	CU_ASSERT_EQUAL(oci_u64(&node, "a", 5, &u, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "a: -1 is not from 0 to 5");
	CU_ASSERT_EQUAL(oci_i64(&node, "b", 301, 400, &i, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "b: 300 is not from 301 to 400");
	CU_ASSERT_EQUAL(oci_i64(&node, "e", INT64_MIN, INT64_MAX, &i, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "e: 18446744073709551615 is not from -9223372036854775808 to 9223372036854775807");
	CU_ASSERT_EQUAL(oci_u32(&node, "e", &u32, &err), -1);
	CU_ASSERT_EQUAL(oci_u64(&node, "c", 5, &u, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "c: \"5\" is not a whole number");
	CU_ASSERT_EQUAL(oci_u64(&node, "d", 5, &u, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "d: 1.5 is not a whole number");
	CU_ASSERT_EQUAL(oci_number(&node, "f", 0, 5, &n, &err), -1);
	CU_ASSERT_EQUAL(oci_bool(&node, "a", &n.given, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "a: -1 is neither true nor false");
	const char *text;
	CU_ASSERT_EQUAL(oci_string(&arena, &node, "e", &text, &err), -1); // though it is kept as a string
	CU_ASSERT_STRING_EQUAL(err.msg, "e: 18446744073709551615 is not a string");
}

TEST(oci_json, lists_of_cpus)
{
	NODE("{'good':'0-3,7','bad':'0-','number':3}");
	const char *text = NULL;
	CU_ASSERT_EQUAL(oci_list(&arena, &node, "good", &text, &err), 0);
	CU_ASSERT_STRING_EQUAL(text, "0-3,7");
	CU_ASSERT_EQUAL(oci_list(&arena, &node, "bad", &text, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "bad: \"0-\" is not a list such as 0-3,7");
	CU_ASSERT_EQUAL(oci_list(&arena, &node, "number", &text, &err), -1);
}

TEST(oci_json, words_of_a_table)
{
	static const struct oci_word words[] = { { "one", 1 }, { "four", 4 }, { NULL, 0 } };
	NODE("{'a':'four','b':'five','c':['one','four'],'d':['one',4],'e':{}}");
	int64_t word = 0;
	uint64_t all = 0;
	CU_ASSERT_EQUAL(oci_word(&node, "a", words, "is wrong", &word, &err), 0);
	CU_ASSERT_EQUAL(word, 4);
	CU_ASSERT_EQUAL(oci_word(&node, "b", words, "is wrong", &word, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "b: \"five\" is wrong");
	CU_ASSERT_EQUAL(oci_words(&node, "c", words, "is wrong", &all, &err), 0);
	CU_ASSERT_EQUAL(all, 5);
	CU_ASSERT_EQUAL(oci_words(&node, "d", words, "is wrong", &all, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "d[1]: 4 is not a string");
	CU_ASSERT_EQUAL(oci_words(&node, "e", words, "is wrong", &all, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "e: {} is not an array");
}
