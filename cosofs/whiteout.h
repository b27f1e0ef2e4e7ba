// SPDX-License-Identifier: GPL-2.0-or-later
// whiteout.h - how an unpacked layer says that something of the layers below is gone. Linux, Documentation/filesystems/overlayfs
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <sys/stat.h>

// Hides `name` of the layers below: a character device 0:0. What this layer itself has there stays: a file hides by being there, a
// folder becomes opaque.
int whiteout_make(int parent, const char *name, struct err *err);

// Hides all that the layers below have in this folder, with trusted.overlay.opaque (root) and user.overlay.opaque: overlays
// that are mounted in a user namespace look at the second only.
int whiteout_make_opaque(int folder, struct err *err);

bool whiteout_is(const struct stat *st);
