// SPDX-License-Identifier: GPL-2.0-or-later
// caps.h - the five capability sets, exactly. capabilities(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdint.h>

// Docker's default set less NET_RAW, in all sets but inheritable and ambient.
struct spec_caps caps_default(void);

// barco's set: what is left when its list is dropped from all capabilities.
struct spec_caps caps_barco(void);

// Adds to or drops from every set but inheritable and ambient. `name` is "NET_RAW", "CAP_NET_RAW" in either case, or "ALL".
// An unknown name is an error with the nearest known one.
int caps_add(struct spec_caps *caps, const char *name, struct err *err);
int caps_drop(struct spec_caps *caps, const char *name, struct err *err);

// Bit of a capability, or -1; the kernel's last one (from /proc/sys/kernel/cap_last_cap) bounds ALL.
int caps_number(const char *name);
const char *caps_name(int number); // "CAP_NET_RAW", or NULL

// In the child, in this order; async-signal-safe, no memory.
int caps_drop_bounding(const struct spec_caps *caps, struct err *err); // while CAP_SETPCAP is held
int caps_keep_over_setuid(struct err *err);                            // PR_SET_KEEPCAPS
int caps_apply(const struct spec_caps *caps, struct err *err);         // effective, permitted, inheritable, then ambient; securebits as found
