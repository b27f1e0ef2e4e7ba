// SPDX-License-Identifier: GPL-2.0-or-later
// copyup.h - copies what an image has in a folder into the tmpfs that is about to cover it ("tmpcopyup")
#pragma once

#include "shared/err.h"

// Copies all that is in `from` into `to`, and its mode, owner and times. Kept: modes, owners, times, extended attributes, links, FIFOs,
// sockets and device nodes, as far as the caller may. Not kept: that two names are one file. Crosses no mount, follows no link.
// Inside: no memory. Errors: ENOSPC where the tmpfs is too small, ELOOP for more than 100 folders in one another.
int copyup_tree(int from, int to, struct err *err);
