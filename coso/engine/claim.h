// SPDX-License-Identifier: GPL-2.0-or-later
// claim.h - who answers for a container, written down before anything of it exists and taken back last
//
// Theory of operation. run/.owners/<pid>:<id> is a symbolic link whose target is the owner's start time and boot: one system call
// makes it, and whether the owner lives is one more (kill(pid, 0)): beside 1,000 containers that live, a launch looks at all their
// claims in about a millisecond; a command that reads each owner's start time, such as ps, takes about four. The id itself is reserved
// by renaming a prepared, locked folder to run/<id>, which fails if that exists. The owner keeps the lock; who mends what a crash left
// holds it meanwhile. Order: claim, folder, everything else; and back again.
#pragma once

#include "coso/engine/place.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

struct claim {
	char name[96]; // in .owners; "" if none is held
	int state;     // run/<id>, open
};

// Reserves `id` for the calling process. EEXIST: there is such a container.
int claim_take(const struct place *place, const char *id, struct claim *out_claim, struct err *err);

// Claims an existing container and takes its lock, to change or remove it. EBUSY: its owner lives, or somebody mends it.
int claim_lock(const struct place *place, const char *id, struct claim *out_claim, struct err *err);

// Removes the state folder and then the claim. What can't be removed stays claimed, so that the next command tries again.
void claim_release(const struct place *place, const char *id, struct claim *claim);

// Lets go of the lock alone: the claim stays behind, and once this process has ended the next command mends what is there.
void claim_leave(struct claim *claim);

// Takes only the claim back: the state folder of an ended container stays.
void claim_drop(const struct place *place, struct claim *claim);

// Whether an owner lives is told by its pid; that the pid isn't another process's by now, by its start time, which is read for the
// first `exact` that seem to live.
// Calls `mend` with the id of every claim whose owner is dead and whose folder nobody else holds. `mend` returns whether all was
// mended, so that the claim can go; an ended container's folder may stay.
void claim_each_dead(const struct place *place, size_t exact, bool (*mend)(const struct place *place, const char *id, int state));
