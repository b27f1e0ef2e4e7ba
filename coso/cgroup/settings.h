// SPDX-License-Identifier: GPL-2.0-or-later
// settings.h - limits as a list of files to write: made from a spec without touching anything, then applied
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/setting.h"
#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stddef.h>
#include <stdint.h>

struct settings {
	struct arena *arena;
	struct setting *items;
	size_t count;
};

// Lists what to write, in order. Fails where a value is out of range, a limit's controller isn't there, or cgroup v2 has nothing like
// the limit.
int settings_plan(struct cgroup *cgroup, const struct spec_resources *resources, struct settings *out_settings, struct err *err);

// Applies them in the group, which is in all of their hierarchies. What the kernel refuses (EINVAL) because of another value of the same
// controller, such as a memory limit above that of memory and swap, is tried again after that one.
int settings_apply(const struct cgroup *cgroup, const struct settings *settings, struct err *err);

// The values that the group has now for these settings, and putting them back as far as that can be.
void settings_remember(const struct cgroup *cgroup, const struct settings *settings, struct settings *out_old);
void settings_restore(const struct cgroup *cgroup, const struct settings *old);

// For v1.c and v2.c: adds a setting; `hierarchy` and `controller` are filled by settings_plan.
void settings_add(struct settings *settings, struct setting setting);

// For them too: a number as text.
const char *settings_number(struct settings *settings, int64_t value);

// CPU shares of v1 as a weight of v2, by the curve that runc and crun use (2 is 1, 1024 is 100, 262144 is 10000).
uint64_t settings_weight_of_shares(uint64_t shares);

// The inverse as the scheduler itself does it: 100 is 1024. kernel/sched/core.c, cpu_weight_write_u64
uint64_t settings_shares_of_weight(uint64_t weight);

// A weight of blkio (10 to 1000) on the scale of v2's io.weight (1 to 10000), and back.
uint64_t settings_io_weight(uint64_t blkio);
uint64_t settings_blkio_weight(uint64_t io);

// The bytes of a size of huge pages, "2MB"; 0 if it is none.
uint64_t settings_page_size(const char *text);
