// SPDX-License-Identifier: GPL-2.0-or-later
// setting.h - one limit as a file to write: written, read back, put back
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_check {
	SETTING_TEXT,   // the kernel keeps what was written
	SETTING_BYTES,  // rounded down to `unit`; the largest value reads as "max" on v2, as 2^63 less a page on v1
	SETTING_WEIGHT, // the number, or "default NUMBER" on the first line
	SETTING_LIST,   // "0-3,7": the same numbers, however written
	SETTING_LINE,   // one of several lines has all the words; the first word is its key, such as a device
	SETTING_OPAQUE, // not read back: a form that COSO doesn't know (unified), or a value that takes effect without being shown
};

struct setting {
	const char *what; // "memory limit", for messages; those that only OCI knows have its name, such as "memory.swappiness"
	size_t hierarchy; // index
	const char *controller; // "memory"; "" for the core files of v2
	const char *file, *value;
	const char *other_file, *other_value; // written where the kernel has no `file`; NULL: none
	const char *read;                     // read back from this one; NULL: `file`
	const char *shown;                    // what is read then; NULL: the value
	const char *absent;                   // SETTING_LINE: what takes the line away again; NULL: nothing does
	const char *needs;                    // what gives the kernel this file, or has it take the value
	uint64_t unit;                        // SETTING_BYTES; 0: a page
	enum setting_check check;
	bool optional; // where there is no `file`, nothing limits anyway
};

// Writes it into the group `folder` (absolute) and reads it back.
int setting_apply(struct arena *arena, const struct setting *setting, const char *folder, struct err *err);

// True if a kernel that was asked for the value and shows `kept` does what was asked.
bool setting_kept(const struct setting *setting, const char *asked, const char *kept);

// The setting that puts back what is there now. False if there is nothing to put back.
bool setting_undo(struct arena *arena, const struct setting *setting, const char *folder, struct setting *out_undo);
