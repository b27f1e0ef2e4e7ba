// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_tables.h - the profiles that COSO brings along: the default (Docker's) and barco's
#pragma once

#include "coso/launch/seccomp_profile.h"

// The capabilities that the default profile asks about: sets that agree on these have the same filter.
uint64_t seccomp_tables_asked(void);

// Docker's default profile (github.com/moby/profiles, as of June 2026) for the machine `arch` and a bounding set.
void seccomp_tables_default(struct seccomp_profile *out_profile, struct arena *arena, uint32_t arch, uint64_t caps);

// barco's: everything may be called but what makes setuid files, user namespaces, keys, traces, or types into a terminal.
void seccomp_tables_barco(struct seccomp_profile *out_profile, struct arena *arena, uint32_t arch);
