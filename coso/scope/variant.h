// SPDX-License-Identifier: GPL-2.0-or-later
// variant.h - values in GVariant's text form, as they stand in annotations: 'text', uint64 5, true, ['a', 'b'], @au [1]. gvariant-text(7)
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A value of D-Bus: of a basic type, an array, or a structure (a tuple). Maybes, dictionaries and variants aren't known.
struct variant {
	char type;             // of the D-Bus specification: b y n q i u x t d s o g, a, (
	const char *signature; // complete: "as", "(ss)", "t"
	uint64_t number;       // b: 0 or 1; y q u t: as it is; n i x: two's complement
	double real;           // d
	const char *text;      // s o g
	struct variant *items; // a (
	size_t count;
};

// Reads one value, and nothing behind it but white space. What is owned by the arena.
int variant_parse(struct arena *arena, const char *text, size_t length, struct variant *out_variant, struct err *err);
