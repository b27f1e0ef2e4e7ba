// SPDX-License-Identifier: GPL-2.0-or-later
// settings.h - limits as a list of files to write: made from a spec without touching anything, then applied and read back
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

enum setting_check {
	SETTING_TEXT,   // the kernel keeps what was written
	SETTING_BYTES,  // rounded down to pages; the largest value reads as "max" on v2, as 2^63 less a page on v1
	SETTING_WEIGHT, // the number, or "default NUMBER" on the first line
	SETTING_LIST,   // "0-3,7": the same numbers, however written
	SETTING_OPAQUE, // not read back: a form that COSO doesn't know (unified)
};

struct setting {
	const char *what;       // "memory limit", for messages
	size_t hierarchy;       // index
	const char *controller; // "memory"; "" for the core files of v2
	const char *file, *value;
	const char *other_file, *other_value; // written where the kernel has no `file`; NULL: none
	const char *read;                     // read back from this one; NULL: `file`
	const char *needs;                    // what gives the kernel this file
	enum setting_check check;
	bool optional; // where there is no `file`, nothing limits anyway
};

struct settings {
	struct arena *arena;
	struct setting *items;
	size_t count;
};

// Lists what to write, in order. Fails where a value is out of range or a limit's controller isn't there.
int settings_plan(struct cgroup *cgroup, const struct spec_resources *resources, struct settings *out_settings, struct err *err);

// Writes one setting into the group `folder` (absolute) and reads it back.
int settings_apply(struct arena *arena, const struct setting *setting, const char *folder, struct err *err);

// True if a kernel that was asked for `asked` and keeps `kept` does what was asked.
bool settings_kept(enum setting_check check, const char *asked, const char *kept);

// For v1.c and v2.c: adds a setting; `hierarchy` and `controller` are filled by settings_plan.
void settings_add(struct settings *settings, struct setting setting);

// CPU shares of v1 as a weight of v2, by the curve that runc and crun use (2 is 1, 1024 is 100, 262144 is 10000).
uint64_t settings_weight_of_shares(uint64_t shares);

// The inverse as the scheduler itself does it: 100 is 1024. kernel/sched/core.c, cpu_weight_write_u64
uint64_t settings_shares_of_weight(uint64_t weight);
