// SPDX-License-Identifier: GPL-2.0-or-later
// overlay.h - the overlay over the rootfs: its upper layer, and its mount. overlayfs.rst
//
// The layers are attached on the staging (rootfs.h) and named relative to it.
#pragma once

#include "shared/err.h"

#include <sys/stat.h>

struct launch;

// Where upper and work live: the user's own folder (--keep), or the container's.
const char *overlay_data_path(const struct launch *launch);

// Outside, before clone3: makes upper, with the mode and owner of `lower`, and work.
int overlay_prepare(struct launch *launch, const struct stat *lower, struct err *err);

// Inside, with the staging there: attaches the layers and mounts the overlay as rootfs.root.
int overlay_attach(struct launch *launch, struct err *err);
