// SPDX-License-Identifier: GPL-2.0-or-later
// caps.h - the five capability sets, exactly. capabilities(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

// In the child, in this order; async-signal-safe, no memory. caps_apply: effective, permitted and inheritable, then ambient.
int caps_drop_bounding(const struct spec_caps *caps, struct err *err); // while CAP_SETPCAP is held
int caps_keep_over_setuid(struct err *err);                            // PR_SET_KEEPCAPS
int caps_apply(const struct spec_caps *caps, struct err *err);         // securebits as found
