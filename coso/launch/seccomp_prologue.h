// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_prologue.h - the part of a filter that is ours: system calls newer than libseccomp, and newer than the profile
//
// libseccomp knows the calls of its own time only, and its table can't be extended: a number that it has no name for is refused as
// soon as the filter has a second architecture. These calls are decided before its filter is entered. Up to Linux 5.0 numbers
// differ by architecture, and libseccomp has them all; newer calls have one number everywhere.
#pragma once

#include "coso/launch/seccomp_profile.h"

#include <linux/filter.h>

enum {
	SECCOMP_NEWER_MAX = 32,
	SECCOMP_PROLOGUE_MAX = SECCOMP_ARCHS_MAX * (SECCOMP_NEWER_MAX * 2 + 12),
};

struct seccomp_newer {
	const char *name;
	uint32_t number;
	uint32_t only; // SCMP_ARCH_*; 0: all
};

struct seccomp_prologue {
	struct seccomp_decision {
		const struct seccomp_newer *call;
		uint32_t action;
	} decisions[SECCOMP_NEWER_MAX];
	size_t decision_count;
	struct sock_filter code[SECCOMP_PROLOGUE_MAX];
	size_t count;
};

// A call that libseccomp 2.5 doesn't know, or NULL.
const struct seccomp_newer *seccomp_prologue_find(const char *name);

// Notes what happens to a call. What was noted first stays, as libseccomp has it.
void seccomp_prologue_decide(struct seccomp_prologue *prologue, const struct seccomp_newer *call, uint32_t action);

// Writes the code, to be put before libseccomp's. count is 0 if nothing is to be decided.
void seccomp_prologue_build(struct seccomp_prologue *prologue, const struct seccomp_profile *profile);
