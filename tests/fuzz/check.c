// SPDX-License-Identifier: GPL-2.0-or-later
// check.c - what must hold of every failure
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_check_error(const struct err *err)
{
	json_t *text = json_string(err->msg); // NULL: not UTF-8
	if (text && err->msg[0] && !strpbrk(err->msg, "\n\r\t\033")) {
		json_decref(text);
		return;
	}
	fprintf(stderr, "a failure without a proper message: '%s'\n", err->msg);
	abort();
}
