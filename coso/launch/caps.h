// SPDX-License-Identifier: GPL-2.0-or-later
// caps.h - the five capability sets, exactly. capabilities(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdint.h>

enum { CAPS_NAMED = 41 }; // CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40, Linux 5.9)

// Docker's default set less NET_RAW, in all sets but inheritable and ambient.
struct spec_caps caps_default(void);

// barco's set: what is left when its list is dropped from all capabilities.
struct spec_caps caps_barco(void);

// Adds to or drops from every set but inheritable and ambient (drop: from these too). `name` is "NET_RAW", "CAP_NET_RAW" in either
// case, or "ALL". An unknown name is an error with the nearest known one.
int caps_add(struct spec_caps *caps, const char *name, struct err *err);
int caps_drop(struct spec_caps *caps, const char *name, struct err *err);

// Bit of a capability ("NET_RAW", "CAP_NET_RAW", either case), or -1.
int caps_number(const char *name);
const char *caps_name(int number); // "CAP_NET_RAW", or NULL

// Every capability that the running kernel knows.
uint64_t caps_all(void);

// What the calling process could give to a child in its own user namespace: permitted and in the bounding set.
uint64_t caps_held(void);

// In the child, in this order; async-signal-safe, no memory. caps_apply: effective, permitted and inheritable, then ambient.
int caps_drop_bounding(const struct spec_caps *caps, struct err *err); // while CAP_SETPCAP is held
int caps_keep_over_setuid(struct err *err);                            // PR_SET_KEEPCAPS
int caps_apply(const struct spec_caps *caps, struct err *err);         // securebits as found
