// SPDX-License-Identifier: GPL-2.0-or-later
// root.h - what a folder is: a root file system, a kept container's, something else
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

enum root_kind {
	ROOT_MISSING,
	ROOT_EMPTY,  // an empty folder
	ROOT_GOOD,   // a root file system: /bin/sh is in it
	ROOT_KEPT,   // upper and work of a kept container
	ROOT_OTHER,  // a folder of something else
	ROOT_NO_DIR, // not a folder
};

// Looks at `name` in the folder `parent`, following links inside the root alone.
enum root_kind root_kind(int parent, const char *name);

// What os-release calls the system in `root`, or "a root file system".
const char *root_title(struct arena *arena, int root);

// Warns if /bin/sh is for another machine than this one.
void root_warn_machine(int root);
