// SPDX-License-Identifier: GPL-2.0-or-later
// lo.h - the loopback interface
#pragma once

#include "shared/err.h"

// Brings it up in the caller's network namespace. Async-signal-safe.
int lo_raise(struct err *err);
