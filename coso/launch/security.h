// SPDX-License-Identifier: GPL-2.0-or-later
// security.h - the last stage before exec: filter, user, capabilities, in the one order that works
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdio.h>

struct launch;

void security_describe(const struct launch *launch, FILE *out);

// True if launch->proc is needed: a label is set through it.
bool security_wants_proc(const struct launch *launch);

// Inside. Should: leave the program exactly the rights that the spec gives. Mustn't: be followed by anything that needs more.
int security_apply(struct launch *launch, struct err *err);
