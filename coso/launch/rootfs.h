// SPDX-License-Identifier: GPL-2.0-or-later
// rootfs.h - the container's root: an overlay over the rootfs, built on a small tmpfs that only the child sees. overlayfs.rst
//
// Theory of operation. The outside clones the lower folder, and the folder that holds upper and work, as detached mounts
// (open_tree(2)); with a user namespace it id-maps them once the maps are written. The child inherits the descriptors, puts a tmpfs
// over its "/" (the staging), attaches both there and mounts the overlay over them by relative names: no path of the host is in
// the options, so commas, length and permissions of it don't matter. pivot_root then drops the staging with everything else.
// An ordinary user may not clone mounts outside; the child then opens the folders by path, in its own namespaces.
#pragma once

#include "shared/err.h"

#include <stdbool.h>

struct launch;

struct rootfs {
	int folder; // the rootfs as it was opened and checked, O_PATH
	int lower;  // detached mounts, or -1 where the child makes them
	int data;
	int lock;    // --keep: the folder, locked as long as the container lives; or -1
	int staging; // inside only: the tmpfs, with lower/ data/ root/ files/ on it
	int root;    // inside only: the container's root mount
};

// Outside, before clone3: opens and checks the rootfs, makes upper and work. Should: leave the rootfs as it is.
int rootfs_prepare(struct launch *launch, struct err *err);

// Outside, once the maps are written: id-maps lower, data and the sources of volumes.
int rootfs_idmap(struct launch *launch, struct err *err);

// Outside, at the end: closes what is open; removes upper and work unless they are kept.
void rootfs_remove(struct launch *launch);

// Removes a container's data folder. As an ordinary user from inside a user namespace where its files need that. Also after a crash.
int rootfs_remove_data(const char *path, struct err *err);

// Inside: makes every mount private, builds the staging and attaches the root.
int rootfs_attach(struct launch *launch, struct err *err);

// Inside: pivot_root, and every mount of the host is gone. Mustn't: leave any way back.
int rootfs_pivot(struct launch *launch, struct err *err);

// Inside, last of all mounts: --read-only.
int rootfs_protect(struct launch *launch, struct err *err);
