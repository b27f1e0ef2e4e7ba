// SPDX-License-Identifier: GPL-2.0-or-later
// list.h - lists of CPUs and of memory nodes as the kernel writes them: "0-3,7". cpuset(7), FORMATS
#pragma once

#include "shared/err.h"

#include <stdbool.h>

enum { LIST_MAX = 8192, LIST_WORD = 8 * sizeof(unsigned long) }; // NR_CPUS at most; bits of a word

// In the form that sched_setaffinity(2) and set_mempolicy(2) take.
struct list {
	unsigned long bits[LIST_MAX / LIST_WORD];
};

// Numbers from 0 to LIST_MAX - 1 and ranges of them, with a comma between; an empty text is an empty list. Returns 0, or -1 with a
// message that names `what` and the text. Takes no memory.
int list_parse(const char *what, const char *text, struct list *out, struct err *err);

bool list_is_empty(const struct list *list);
bool list_eq(const struct list *a, const struct list *b);
