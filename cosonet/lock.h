// SPDX-License-Identifier: GPL-2.0-or-later
// lock.h - one at a time: the lock that iptables takes, for whatever isn't one request to the kernel
//
// libiptc itself takes none, and its commit replaces a whole table. An ordinary launch takes no lock at all.
#pragma once

#include "shared/err.h"

// Takes /run/xtables.lock (or $XTABLES_LOCKFILE), waiting up to 10 s. Returns a descriptor that holds it, or -1.
int lock_take(struct err *err);
