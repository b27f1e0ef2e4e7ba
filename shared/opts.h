// SPDX-License-Identifier: GPL-2.0-or-later
// opts.h - command-line options as a table: parsed, and printed as help, from the same rows
//
// As Go programs take them: one dash or two, `--name value` or `--name=value`; a flag also `--name=false`. `--` ends the options,
// and so does the first word that isn't one. A single letter is an option of its own (`-d`); letters are not bundled.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stddef.h>
#include <stdio.h>

enum opt_kind {
	OPT_FLAG, // bool
	OPT_TEXT, // const char *; the last one wins
	OPT_LIST, // struct strv; each one adds
};

struct opt {
	const char *name; // long name; NULL ends the table
	char letter;      // short name, or 0
	enum opt_kind kind;
	size_t offset;    // of the field in the struct that is filled
	const char *arg;  // name of the value in the help; NULL for flags
	const char *help; // one line; NULL: accepted, not shown
};

// Fills *to by the table. *out_next is the index of the first word that is not an option. Returns 0 or -1: an unknown option, with
// the nearest known one; a value missing ("flag needs an argument: --name"); a flag with a value that isn't true or false.
int opts_parse(const struct opt *table, struct arena *arena, int argc, char *const argv[], void *to, int *out_next,
	       struct err *err);

// Prints a line an option, in the table's order.
void opts_help(const struct opt *table, FILE *out);

// The name of `names` (NULL-terminated) that is nearest to `word`, or NULL if none is near. For "did you mean …?".
const char *opts_nearest(const char *word, const char *const *names);
