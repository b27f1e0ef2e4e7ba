// SPDX-License-Identifier: GPL-2.0-or-later
// devices.h - which devices a group may open and make: lists of v1, a BPF program on v2
//
// Rules are taken in order, and each of "r", "w" and "m" (mknod) is decided by the last rule that names the device. What no rule
// names stays as it is above the group. Documentation/admin-guide/cgroup-v1/devices.rst, cgroup-v2.rst
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

// Refuses rules of an unknown type or access.
int devices_check(const struct spec_device_rule *rules, size_t count, struct err *err);

// Writes the rules into the v1 group `folder`, and reads back what is allowed. v1 can't take a device back out of a wider rule:
// that is an error.
int devices_apply_v1(struct arena *arena, const char *folder, const struct spec_device_rule *rules, size_t count, struct err *err);

// Loads the rules as a program and attaches it to the open v2 group `group`. With `used` the group was there before, and a program that
// COSO attached then is taken away.
int devices_apply_v2(struct arena *arena, int group, bool used, const struct spec_device_rule *rules, size_t count,
		     struct err *err);

// What devices_apply_v1 writes: first "a" to devices.deny unless `allowed`, then each line to the other of devices.allow and .deny.
struct devices_list {
	bool allowed; // all that isn't listed is allowed; else denied
	struct spec_device_rule *items;
	size_t count;
};
int devices_reduce(struct arena *arena, const struct spec_device_rule *rules, size_t count, struct devices_list *out_list,
		   struct err *err);

// What devices_apply_v2 loads. Returns the number of instructions; *out_program is owned by the arena.
size_t devices_program(struct arena *arena, const struct spec_device_rule *rules, size_t count, struct bpf_insn **out_program);
