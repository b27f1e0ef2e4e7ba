// SPDX-License-Identifier: GPL-2.0-or-later
// names.h - the container's host name, domain name and sysctls
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdio.h>

struct launch;

bool names_wanted(const struct launch *launch);
void names_describe(const struct launch *launch, FILE *out);

// Inside, after pivot_root: the names, then the sysctls through the container's /proc, which is none of the image's.
int names_set(struct launch *launch, struct err *err);

struct spec;

// The sysctls of a network namespace, in that of the caller, through the caller's own /proc.
int names_set_network(const struct spec *spec, struct err *err);
