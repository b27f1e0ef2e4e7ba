// SPDX-License-Identifier: GPL-2.0-or-later
// installed.h - where this program is installed, also when it runs from a copy of itself that can't be written
#pragma once

#include "shared/arena.h"

#include <stdbool.h>

// Who makes such a copy puts the folder of the original into its environment under this name.
#define INSTALLED_VARIABLE "COSO_INSTALLED_IN"

// True if the open file can't be written by anybody: a sealed memfd, or one on a read-only mount.
bool installed_is_unwritable(int fd);

// True if this process runs from such a copy: then what it finds in its environment may be from the process that made it.
bool installed_is_copy(void);

// The folder that this program is installed in; "" if it can't be known.
const char *installed_folder(struct arena *arena);

// A helper of that name: beside this program, as after a build, or in the libexec of the same installation, whether it is there or not.
const char *installed_helper(struct arena *arena, const char *name);
