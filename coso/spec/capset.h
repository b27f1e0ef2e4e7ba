// SPDX-License-Identifier: GPL-2.0-or-later
// capset.h - capabilities by name, and COSO's sets of them. capabilities(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdint.h>

enum { CAPSET_NAMED = 41 }; // CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40, Linux 5.9)

// Docker's default set less NET_RAW, in all sets but inheritable and ambient.
struct spec_caps capset_default(void);

// barco's set: what is left when its list is dropped from all capabilities.
struct spec_caps capset_barco(void);

// Adds to or drops from every set but inheritable and ambient (drop: from these too). `name` is "NET_RAW", "CAP_NET_RAW" in either
// case, or "ALL". An unknown name is an error with the nearest known one.
int capset_add(struct spec_caps *caps, const char *name, struct err *err);
int capset_drop(struct spec_caps *caps, const char *name, struct err *err);

// Bit of a capability ("NET_RAW", "CAP_NET_RAW", either case), or -1.
int capset_number(const char *name);
const char *capset_name(int number); // "CAP_NET_RAW", or NULL

// Every capability that the running kernel knows.
uint64_t capset_all(void);

// Those of them that are in the caller's bounding set.
uint64_t capset_bounding(void);
