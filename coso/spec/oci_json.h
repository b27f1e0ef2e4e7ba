// SPDX-License-Identifier: GPL-2.0-or-later
// oci_json.h - JSON of the OCI runtime specification: parsed once, then read value by value, with errors that name place and value
//
// `process.rlimits[1].type: "RLIMIT_FOO" is no resource limit`. What is null isn't there, and neither, where a string stands for
// something, is an empty one: engines written in Go leave out, or don't, as they please. Unknown members are never looked at.
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"
#include "shared/str.h"

#include <jansson.h>

// Parses `size` bytes of UTF-8; `what` names them in messages. Integers above INT64_MAX, which jansson refuses, are kept: oci_integer
// knows them. A member that is there twice is an error. The caller frees it (json_auto_t); NULL: an error.
json_t *oci_json_parse(const char *what, const char *text, size_t size, struct err *err);

// True if a value is a whole number; *out_negative: below 0, and *out_bits is its two's complement.
bool oci_integer(const json_t *value, bool *out_negative, uint64_t *out_bits);

// A value, and where it stands: places are put into words only when something is wrong. A node points at the one it came from.
struct oci_node {
	const json_t *value; // NULL: not there
	const struct oci_node *up;
	const char *key; // in `up`, or with `up` NULL the name of it all, or NULL
	size_t index;    // with `key` NULL: in the array `up`
};

// "PLACE: VALUE REASON", or without the value where there is none or it is long. -1.
int oci_bad(const struct oci_node *node, const char *reason, struct err *err);
int oci_bad_member(const struct oci_node *object, const char *key, const char *reason, struct err *err);
int oci_require(const struct oci_node *object, const char *key, struct err *err); // 0 if it is there

// A value in words: "" for an array or an object that has something in it, and cut where it is long.
enum { OCI_SHOWN = 80 };
void oci_show(const json_t *value, char out[OCI_SHOWN]);

// The place in words, cut to what fits, for messages that need more than a reason.
enum { OCI_PLACE = 256 };
void oci_place(const struct oci_node *node, char out[OCI_PLACE]);

struct oci_node oci_member(const struct oci_node *object, const char *key);
struct oci_node oci_item(const struct oci_node *array, size_t index);
size_t oci_count(const struct oci_node *array);                                                   // 0 if it isn't there
int oci_entry(const struct oci_node *array, size_t index, struct oci_node *out, struct err *err); // an item that is an object

// Each of the following reads one member of `object`. If it isn't there they succeed, and leave *out as it was.
int oci_object(const struct oci_node *object, const char *key, struct oci_node *out, struct err *err); // value NULL: not there
int oci_array(const struct oci_node *object, const char *key, struct oci_node *out, struct err *err);
int oci_bool(const struct oci_node *object, const char *key, bool *out, struct err *err);
int oci_u64(const struct oci_node *object, const char *key, uint64_t max, uint64_t *out, struct err *err);
int oci_i64(const struct oci_node *object, const char *key, int64_t min, int64_t max, int64_t *out, struct err *err);
int oci_u32(const struct oci_node *object, const char *key, uint32_t *out, struct err *err);
int oci_number(const struct oci_node *object, const char *key, int64_t min, int64_t max, struct spec_number *out, struct err *err);
int oci_string(struct arena *arena, const struct oci_node *object, const char *key, const char **out, struct err *err);
int oci_strings(struct arena *arena, const struct oci_node *object, const char *key, struct strv *out, struct err *err);
int oci_list(struct arena *arena, const struct oci_node *object, const char *key, const char **out, struct err *err); // "0-3,7"

// A string's text itself, which may be empty; not copied.
int oci_text(const struct oci_node *node, const char **out, struct err *err);

// A word of a table that ends with NULL; `what` says what the value isn't ("is no resource limit"). The second takes an array of words
// and gives their values, ored.
struct oci_word {
	const char *name;
	int64_t value;
};
int oci_word(const struct oci_node *object, const char *key, const struct oci_word *words, const char *what, int64_t *out,
	     struct err *err);
int oci_words(const struct oci_node *object, const char *key, const struct oci_word *words, const char *what, uint64_t *out,
	      struct err *err);
