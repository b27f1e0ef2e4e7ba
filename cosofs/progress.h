// SPDX-License-Identifier: GPL-2.0-or-later
// progress.h - one line on a terminal that is redrawn while something comes in
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what;
	bool on;      // stderr is a terminal, and the user wants to see it
	int64_t last; // when it was drawn, proc_now_ms
};

void progress_begin(struct progress *progress, const char *what);
void progress_show(struct progress *progress, uint64_t done, uint64_t total); // total 0: unknown
void progress_end(struct progress *progress);                                 // wipes the line
