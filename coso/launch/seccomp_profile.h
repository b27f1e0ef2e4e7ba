// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_profile.h - a seccomp profile as C data: whoever makes one (the tables, a file, a config.json), one compiler reads it
//
// Every choice by capability, architecture or kernel is made by the maker: what is here holds. Actions are SECCOMP_RET_* values with
// their data (an errno, a tracer's message) in the low 16 bits; libseccomp's SCMP_ACT_* are the same numbers. seccomp(2)
#pragma once

#include "shared/arena.h"
#include "shared/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECCOMP_ARCHS_MAX = 8, SECCOMP_RULES_MAX = 4096, SECCOMP_NAMES_MAX = 16384, SECCOMP_CONDITIONS_MAX = 6 };

struct seccomp_condition {
	unsigned int index; // of the argument, 0 to 5
	int op;             // enum scmp_compare of <seccomp.h>
	uint64_t value;     // with SCMP_CMP_MASKED_EQ: the mask
	uint64_t value_two; // with SCMP_CMP_MASKED_EQ: what is left after masking
};

// Where two rules without conditions name the same call, the first one holds; a rule with conditions gives way to one without.
struct seccomp_rule {
	struct strv names; // system calls; names that this architecture hasn't are skipped
	uint32_t action;
	struct seccomp_condition conditions[SECCOMP_CONDITIONS_MAX]; // all must hold
	size_t condition_count;
	const char *where; // for messages: "syscalls[3]"
};

struct seccomp_profile {
	struct arena *arena;
	uint32_t default_action;
	uint32_t archs[SECCOMP_ARCHS_MAX]; // SCMP_ARCH_* tokens; the first is the machine's own
	size_t arch_count;
	unsigned int flags; // SECCOMP_FILTER_FLAG_*
	bool notify;        // a rule asks a listener (SCMP_ACT_NOTIFY): load it with SECCOMP_FILTER_FLAG_NEW_LISTENER
	bool strict;        // a call that neither libseccomp nor COSO knows is an error
	struct seccomp_rule *rules;
	size_t rule_count;
};

// The token of a machine as uname(2) and `cc -dumpmachine` name it ("x86_64", "aarch64"); 0 if COSO has no profile for it.
uint32_t seccomp_profile_arch(const char *machine);

// An empty profile for a machine. With `compat`, its 32-bit programs may run too (x86 and x32, or arm).
void seccomp_profile_init(struct seccomp_profile *profile, struct arena *arena, uint32_t arch, bool compat);

// Adds an architecture unless it is there. False: there are too many.
bool seccomp_profile_add_arch(struct seccomp_profile *profile, uint32_t arch);

// Adds an empty rule; the pointer is good until the next one is added.
struct seccomp_rule *seccomp_profile_add_rule(struct seccomp_profile *profile, uint32_t action, const char *where);

// True for actions that let the call happen (allow, log, trace).
bool seccomp_profile_permits(uint32_t action);

// All that decides what the compiled filter is, as text: two profiles with the same key have the same filter.
char *seccomp_profile_key(const struct seccomp_profile *profile, size_t *out_size);
