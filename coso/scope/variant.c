// SPDX-License-Identifier: GPL-2.0-or-later
// variant.c - values in GVariant's text form
#include "coso/scope/variant.h"

#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <string.h>

enum { DEPTH_MAX = 8, DECIMALS = 1000000 };

struct reader {
	struct arena *arena;
	const char *at, *end;
	struct err *err;
};

// Names of the basic types, and what is in their range.
static const struct basic {
	const char *name;
	char code;
	int64_t min;
	uint64_t max;
} basics[] = {
	{ "boolean", 'b', 0, 1 },
	{ "byte", 'y', 0, UINT8_MAX },
	{ "int16", 'n', INT16_MIN, INT16_MAX },
	{ "uint16", 'q', 0, UINT16_MAX },
	{ "int32", 'i', INT32_MIN, INT32_MAX },
	{ "uint32", 'u', 0, UINT32_MAX },
	{ "int64", 'x', INT64_MIN, INT64_MAX },
	{ "uint64", 't', 0, UINT64_MAX },
	{ "double", 'd', 0, 0 },
	{ "string", 's', 0, 0 },
	{ "objectpath", 'o', 0, 0 },
	{ "signature", 'g', 0, 0 },
};

static const struct basic *basic_of(char code)
{
	for (size_t i = 0; i < sizeof(basics) / sizeof(*basics); i++)
		if (basics[i].code == code)
			return &basics[i];
	return NULL;
}

static int fail(const struct reader *reader, const char *what)
{
	enum { SHOWN = 40 };
	size_t left = (size_t)(reader->end - reader->at);
	char *rest = arena_strndup(reader->arena, reader->at, left > SHOWN ? SHOWN : left);
	for (char *c = rest; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return err_set(reader->err, EINVAL, "read a value in GVariant's text form: %s, at '%s'", what, rest);
}

static void skip_space(struct reader *reader)
{
	while (reader->at < reader->end && strchr(" \t\n", *reader->at) && *reader->at)
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	skip_space(reader);
	if (reader->at == reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of one complete type at the start of `signature`; 0: there is none that is known.
static size_t type_length(const char *signature, int depth)
{
	if (*signature && basic_of(*signature))
		return 1;
	if (depth == DEPTH_MAX)
		return 0;
	if (*signature == 'a') {
		size_t item = type_length(signature + 1, depth + 1);
		return item ? 1 + item : 0;
	}
	if (*signature != '(')
		return 0;
	size_t length = 1;
	while (signature[length] && signature[length] != ')') {
		size_t item = type_length(signature + length, depth + 1);
		if (!item)
			return 0;
		length += item;
	}
	return signature[length] && length > 1 ? length + 1 : 0;
}

static int parse(struct reader *reader, const char *expected, int depth, struct variant *out);

static int parse_text(struct reader *reader, char type, struct variant *out)
{
	static const char escapes[] = "n\nt\tr\ra\ab\bf\fv\v\\\\''\"\"";
	char quote = *reader->at++, *text = arena_alloc(reader->arena, (size_t)(reader->end - reader->at) + 1);
	size_t length = 0;
	while (reader->at < reader->end && *reader->at != quote) {
		char c = *reader->at++;
		if (c == '\\') {
			const char *known = reader->at < reader->end && *reader->at ? strchr(escapes, *reader->at) : NULL;
			if (!known || (known - escapes) % 2)
				return fail(reader, "an escape that isn't known");
			c = known[1];
			reader->at++;
		}
		if (!c)
			return fail(reader, "a NUL in a text");
		text[length++] = c;
	}
	if (reader->at == reader->end)
		return fail(reader, "a text that doesn't end");
	reader->at++;
	*out = (struct variant){ .type = type, .text = text };
	return 0;
}

static int parse_number(struct reader *reader, char type, struct variant *out)
{
	const char *start = reader->at;
	bool negative = *start == '-', point = false;
	reader->at += *start == '-' || *start == '+';
	const char *digits = reader->at;
	while (reader->at < reader->end && (is_word(*reader->at) || *reader->at == '.'))
		point |= *reader->at++ == '.';
	const char *text = arena_strndup(reader->arena, digits, (size_t)(reader->at - digits));
	uint64_t value = 0;
	type = type ? type : point ? 'd' : 'i';
	const struct basic *basic = basic_of(type);
	if (type == 'd') {
		if (num_decimal("", text, DECIMALS, &value, NULL) < 0)
			return fail(reader, "no number before it");
		double real = (double)value / DECIMALS;
		*out = (struct variant){ .type = type, .real = negative ? -real : real };
		return 0;
	}
	uint64_t most = negative ? (basic->min < 0 ? (uint64_t) - (basic->min + 1) + 1 : 0) : basic->max;
	if (type == 'b' || basic->max == 0 || num_u64("", text, 0, most, &value, NULL) < 0)
		return fail(reader, "no number of its type before it");
	*out = (struct variant){ .type = type, .number = negative ? 0 - value : value };
	return 0;
}

// "true", "false", the name of a type before a value, or a byte string.
static int parse_word(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	const char *start = reader->at;
	while (reader->at < reader->end && is_word(*reader->at))
		reader->at++;
	const char *word = arena_strndup(reader->arena, start, (size_t)(reader->at - start));
	if (str_eq(word, "true") || str_eq(word, "false")) {
		*out = (struct variant){ .type = 'b', .number = str_eq(word, "true") };
		return 0;
	}
	for (size_t i = 0; i < sizeof(basics) / sizeof(*basics); i++)
		if (str_eq(word, basics[i].name)) {
			const char *type = arena_strndup(reader->arena, &basics[i].code, 1);
			if (expected && !str_eq(expected, type))
				return fail(reader, "another type than that of the array");
			return parse(reader, type, depth + 1, out);
		}
	reader->at = start;
	return fail(reader, "a word that isn't known");
}

static void add(struct reader *reader, struct variant *list, const struct variant *item)
{
	list->items = arena_grow(reader->arena, list->items, list->count, sizeof(*item));
	list->items[list->count++] = *item;
}

static int parse_array(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	struct variant array = { .type = 'a', .signature = expected }, item = { 0 };
	reader->at++;
	for (bool first = true; !take(reader, ']'); first = false) {
		if (!first && !take(reader, ','))
			return fail(reader, "',' or ']' is missing");
		if (parse(reader, array.signature ? array.signature + 1 : NULL, depth + 1, &item) < 0)
			return -1;
		if (!array.signature)
			array.signature = arena_printf(reader->arena, "a%s", item.signature);
		add(reader, &array, &item);
	}
	if (!array.signature)
		return fail(reader, "an empty array needs its type, as in @as []");
	*out = array;
	return 0;
}

static int parse_tuple(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	struct variant tuple = { .type = '(' }, item = { 0 };
	const char *next = expected ? expected + 1 : NULL, *signature = "(";
	reader->at++;
	for (bool first = true; !take(reader, ')'); first = false) {
		if (!first && !take(reader, ','))
			return fail(reader, "',' or ')' is missing");
		if (!first && take(reader, ')')) // of one item
			break;
		const char *type = NULL;
		if (next) {
			size_t length = type_length(next, 0);
			type = length ? arena_strndup(reader->arena, next, length) : NULL;
			next += length;
			if (!type)
				return fail(reader, "more items than its type has");
		}
		if (parse(reader, type, depth + 1, &item) < 0)
			return -1;
		signature = arena_printf(reader->arena, "%s%s", signature, item.signature);
		add(reader, &tuple, &item);
	}
	if (!tuple.count || (next && !str_eq(next, ")")))
		return fail(reader, "fewer items than its type has");
	tuple.signature = arena_printf(reader->arena, "%s)", signature);
	*out = tuple;
	return 0;
}

// "@SIGNATURE VALUE"
static int parse_typed(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	const char *start = ++reader->at;
	while (reader->at < reader->end && *reader->at && strchr("bynqiuxtdsoga()", *reader->at))
		reader->at++;
	const char *type = arena_strndup(reader->arena, start, (size_t)(reader->at - start));
	if (!*type || type_length(type, 0) != strlen(type))
		return fail(reader, "a type that isn't known before it");
	if (expected && !str_eq(expected, type))
		return fail(reader, "another type than that of the array");
	return parse(reader, type, depth + 1, out);
}

static int parse_any(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	const char type = expected ? *expected : '\0', c = *reader->at;
	if (c == '\'' || c == '"')
		return parse_text(reader, type == 'o' || type == 'g' ? type : 's', out);
	if (c == '[')
		return parse_array(reader, type == 'a' ? expected : NULL, depth, out);
	if (c == '(')
		return parse_tuple(reader, type == '(' ? expected : NULL, depth, out);
	if (c == '@')
		return parse_typed(reader, expected, depth, out);
	if (c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9'))
		return parse_number(reader, type && !strchr("sogba(", type) ? type : '\0', out);
	return parse_word(reader, expected, depth, out);
}

static int parse(struct reader *reader, const char *expected, int depth, struct variant *out)
{
	struct variant value = { 0 };
	skip_space(reader);
	if (reader->at == reader->end)
		return fail(reader, "a value is missing");
	if (depth == DEPTH_MAX)
		return fail(reader, "too deep");
	if (parse_any(reader, expected, depth, &value) < 0)
		return -1;
	if (!value.signature)
		value.signature = arena_strndup(reader->arena, &value.type, 1);
	if (expected && !str_eq(expected, value.signature))
		return fail(reader, "a value of another type before it");
	*out = value;
	return 0;
}

int variant_parse(struct arena *arena, const char *text, size_t length, struct variant *out_variant, struct err *err)
{
	struct reader reader = { .arena = arena, .at = text, .end = text + length, .err = err };
	struct variant value;
	if (parse(&reader, NULL, 0, &value) < 0)
		return -1;
	skip_space(&reader);
	if (reader.at != reader.end)
		return fail(&reader, "something behind the value");
	*out_variant = value;
	return 0;
}
