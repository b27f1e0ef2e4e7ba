// SPDX-License-Identifier: GPL-2.0-or-later
// oci_json.c - reads JSON value by value
#include "coso/spec/oci_json.h"

#include "shared/list.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 20 }; // digits of UINT64_MAX

// jansson's integers are int64_t. One above INT64_MAX becomes a string of digits behind a character that Unicode has reserved for
// being none (U+10FFFF), so that no text means it.
#define LARGE "\xf4\x8f\xbf\xbf"

// The digits at `text` as a number. False: more than UINT64_MAX, or no digits alone.
static bool parse_digits(const char *text, size_t length, uint64_t *out)
{
	uint64_t value = 0;
	if (!length || length > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

// How long the string is that begins at `text`, with its quotes.
static size_t string_length(const char *text, size_t size)
{
	size_t at = 1;
	while (at < size && text[at] != '"')
		at += text[at] == '\\' ? 2 : 1;
	return at < size ? at + 1 : size;
}

static size_t number_length(const char *text, size_t size)
{
	size_t at = 0;
	while (at < size && text[at] && strchr("0123456789+-.eE", text[at]))
		at++;
	return at;
}

// A copy of the text in which large integers are strings. Each is longer by six bytes then, and had 19 digits at least.
static char *mark_large(struct arena *arena, const char *text, size_t size, size_t *out_size)
{
	static const char open[] = "\"" LARGE;
	char *copy = arena_alloc(arena, size + size / 3 + sizeof(open)), *at = copy;
	for (size_t done = 0, length; done < size; done += length) {
		const char *c = text + done;
		uint64_t value;
		length = *c == '"' ? string_length(c, size - done) : number_length(c, size - done);
		bool large = *c != '"' && parse_digits(c, length, &value) && value > INT64_MAX;
		length = length ? length : 1;
		if (large)
			at = mempcpy(at, open, sizeof(open) - 1);
		at = mempcpy(at, c, length);
		if (large)
			*at++ = '"';
	}
	*out_size = (size_t)(at - copy);
	return copy;
}

json_t *oci_json_parse(const char *what, const char *text, size_t size, struct err *err)
{
	json_error_t why;
	json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!tree && json_error_code(&why) == json_error_numeric_overflow) {
		own_arena struct arena arena = { 0 };
		const char *marked = mark_large(&arena, text, size, &size);
		tree = json_loadb(marked, size, JSON_REJECT_DUPLICATES, &why);
	}
	if (tree)
		return tree;
	err_set(err, EINVAL, "%s: line %d, column %d: not JSON: %s", what, why.line, why.column, why.text);
	return NULL;
}

bool oci_integer(const json_t *value, bool *out_negative, uint64_t *out_bits)
{
	if (json_is_integer(value)) {
		*out_negative = json_integer_value(value) < 0;
		*out_bits = (uint64_t)json_integer_value(value);
		return true;
	}
	const char *text = json_string_value(value);
	if (!text || !str_starts(text, LARGE))
		return false;
	*out_negative = false;
	text += strlen(LARGE);
	return parse_digits(text, strlen(text), out_bits) && *out_bits > INT64_MAX;
}

static bool is_plain(const char *key)
{
	size_t length = 0;
	while (isalnum((unsigned char)key[length]) || key[length] == '_')
		length++;
	return length && !key[length];
}

// Adds the place to what is in `out` already; returns how much that is.
static size_t add_place(const struct oci_node *node, char out[OCI_PLACE])
{
	size_t used = node->up ? add_place(node->up, out) : 0;
	int length;
	if (used >= OCI_PLACE - 1)
		return used;
	char *at = out + used;
	size_t room = OCI_PLACE - used;
	if (!node->key)
		length = node->up ? snprintf(at, room, "[%zu]", node->index) : 0;
	else if (!node->up || is_plain(node->key))
		length = snprintf(at, room, "%s%.80s", used ? "." : "", node->key);
	else
		length = snprintf(at, room, "[\"%.80s\"]", node->key);
	return used + (length < 0 ? 0 : (size_t)length);
}

void oci_place(const struct oci_node *node, char out[OCI_PLACE])
{
	*out = '\0';
	add_place(node, out);
	if (!*out)
		snprintf(out, OCI_PLACE, "the configuration");
}

void oci_show(const json_t *value, char out[OCI_SHOWN])
{
	uint64_t bits;
	bool negative;
	*out = '\0';
	if (!value || (json_is_array(value) && json_array_size(value)) || (json_is_object(value) && json_object_size(value)))
		return;
	if (oci_integer(value, &negative, &bits) && !negative) {
		snprintf(out, OCI_SHOWN, "%" PRIu64, bits);
		return;
	}
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	size_t length = text ? strlen(text) : 0;
	if (length >= OCI_SHOWN) {
		for (length = OCI_SHOWN - sizeof("..."); length && ((unsigned char)text[length] & 0xc0) == 0x80;)
			length--; // not in the middle of a character
		text[length] = '\0';
		snprintf(out, OCI_SHOWN, "%s...", text);
	} else if (text)
		memcpy(out, text, length + 1);
	free(text);
	str_clean(out);
}

int oci_bad(const struct oci_node *node, const char *reason, struct err *err)
{
	char place[OCI_PLACE], shown[OCI_SHOWN];
	oci_place(node, place);
	oci_show(node->value, shown);
	return err_set(err, EINVAL, "%s: %s%s%s", place, shown, *shown ? " " : "", reason);
}

struct oci_node oci_member(const struct oci_node *object, const char *key)
{
	const json_t *value = json_object_get(object->value, key);
	return (struct oci_node){ .value = json_is_null(value) ? NULL : value, .up = object, .key = key };
}

int oci_bad_member(const struct oci_node *object, const char *key, const char *reason, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	return oci_bad(&node, reason, err);
}

int oci_require(const struct oci_node *object, const char *key, struct err *err)
{
	return oci_member(object, key).value ? 0 : oci_bad_member(object, key, "is missing", err);
}

struct oci_node oci_item(const struct oci_node *array, size_t index)
{
	return (struct oci_node){ .value = json_array_get(array->value, index), .up = array, .index = index };
}

size_t oci_count(const struct oci_node *array)
{
	return json_array_size(array->value);
}

int oci_entry(const struct oci_node *array, size_t index, struct oci_node *out, struct err *err)
{
	*out = oci_item(array, index);
	return json_is_object(out->value) ? 0 : oci_bad(out, "is not an object", err);
}

int oci_object(const struct oci_node *object, const char *key, struct oci_node *out, struct err *err)
{
	*out = oci_member(object, key);
	return !out->value || json_is_object(out->value) ? 0 : oci_bad(out, "is not an object", err);
}

int oci_array(const struct oci_node *object, const char *key, struct oci_node *out, struct err *err)
{
	*out = oci_member(object, key);
	return !out->value || json_is_array(out->value) ? 0 : oci_bad(out, "is not an array", err);
}

int oci_bool(const struct oci_node *object, const char *key, bool *out, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	if (!node.value)
		return 0;
	if (!json_is_boolean(node.value))
		return oci_bad(&node, "is neither true nor false", err);
	*out = json_is_true(node.value);
	return 0;
}

static int whole_number(const struct oci_node *node, int64_t min, uint64_t max, uint64_t *out_bits, struct err *err)
{
	bool negative;
	uint64_t bits;
	char reason[80];
	if (!oci_integer(node->value, &negative, &bits))
		return oci_bad(node, "is not a whole number", err);
	if (negative ? (int64_t)bits < min : bits > max || (min > 0 && bits < (uint64_t)min)) {
		snprintf(reason, sizeof(reason), "is not from %" PRId64 " to %" PRIu64, min, max);
		return oci_bad(node, reason, err);
	}
	*out_bits = bits;
	return 0;
}

int oci_u64(const struct oci_node *object, const char *key, uint64_t max, uint64_t *out, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	return node.value ? whole_number(&node, 0, max, out, err) : 0;
}

int oci_i64(const struct oci_node *object, const char *key, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	uint64_t bits = (uint64_t)*out;
	if (node.value && whole_number(&node, min, (uint64_t)max, &bits, err) < 0)
		return -1;
	*out = (int64_t)bits;
	return 0;
}

int oci_u32(const struct oci_node *object, const char *key, uint32_t *out, struct err *err)
{
	uint64_t value = *out;
	if (oci_u64(object, key, UINT32_MAX, &value, err) < 0)
		return -1;
	*out = (uint32_t)value;
	return 0;
}

int oci_number(const struct oci_node *object, const char *key, int64_t min, int64_t max, struct spec_number *out, struct err *err)
{
	int64_t value = 0;
	if (!oci_member(object, key).value)
		return 0;
	if (oci_i64(object, key, min, max, &value, err) < 0)
		return -1;
	*out = (struct spec_number){ true, value };
	return 0;
}

int oci_text(const struct oci_node *node, const char **out, struct err *err)
{
	bool negative;
	uint64_t bits;
	if (!json_is_string(node->value) || oci_integer(node->value, &negative, &bits))
		return oci_bad(node, "is not a string", err);
	*out = json_string_value(node->value);
	return 0;
}

int oci_string(struct arena *arena, const struct oci_node *object, const char *key, const char **out, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	const char *text = "";
	if (node.value && oci_text(&node, &text, err) < 0)
		return -1;
	if (*text)
		*out = arena_strdup(arena, text);
	return 0;
}

int oci_strings(struct arena *arena, const struct oci_node *object, const char *key, struct strv *out, struct err *err)
{
	struct oci_node array;
	struct strv list = { 0 };
	if (oci_array(object, key, &array, err) < 0)
		return -1;
	if (!array.value)
		return 0;
	for (size_t i = 0; i < oci_count(&array); i++) {
		const struct oci_node item = oci_item(&array, i);
		const char *text;
		if (oci_text(&item, &text, err) < 0)
			return -1;
		strv_push(arena, &list, arena_strdup(arena, text));
	}
	*out = list;
	return 0;
}

int oci_list(struct arena *arena, const struct oci_node *object, const char *key, const char **out, struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	const char *text = NULL;
	struct list list;
	if (oci_string(arena, object, key, &text, err) < 0)
		return -1;
	if (text && list_parse(key, text, &list, NULL) < 0)
		return oci_bad(&node, "is not a list such as 0-3,7", err);
	*out = text ? text : *out;
	return 0;
}

static int find_word(const struct oci_node *node, const struct oci_word *words, const char *what, int64_t *out, struct err *err)
{
	const char *text;
	if (oci_text(node, &text, err) < 0)
		return -1;
	for (; words->name; words++) {
		if (strcmp(words->name, text) == 0) {
			*out = words->value;
			return 0;
		}
	}
	return oci_bad(node, what, err);
}

int oci_word(const struct oci_node *object, const char *key, const struct oci_word *words, const char *what, int64_t *out,
	     struct err *err)
{
	const struct oci_node node = oci_member(object, key);
	if (!node.value || (json_is_string(node.value) && !json_string_length(node.value)))
		return 0;
	return find_word(&node, words, what, out, err);
}

int oci_words(const struct oci_node *object, const char *key, const struct oci_word *words, const char *what, uint64_t *out,
	      struct err *err)
{
	struct oci_node array;
	uint64_t all = 0;
	if (oci_array(object, key, &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		const struct oci_node item = oci_item(&array, i);
		int64_t value;
		if (find_word(&item, words, what, &value, err) < 0)
			return -1;
		all |= (uint64_t)value;
	}
	if (array.value)
		*out = all;
	return 0;
}
