// SPDX-License-Identifier: GPL-2.0-or-later
// rootfs.h - the container's root: an overlay over the rootfs, built on a small tmpfs that only the child sees, or the rootfs itself
//
// Theory of operation. The outside clones the lower folder, and the folder that holds upper and work, as detached mounts
// (open_tree(2)); with a user namespace it id-maps them once the maps are written. The child inherits the descriptors, puts a tmpfs
// over its "/" (the staging), attaches both there and mounts the overlay over them by relative names: no path of the host is in
// the options, so commas, length and permissions of it don't matter. pivot_root then drops the staging with everything else.
// overlayfs.rst. An ordinary user may not clone mounts outside; the child then opens the folders by path, in its own namespaces.
//
// Without an overlay the rootfs is cloned with all that is mounted below, and attached over itself: hooks that run in the container's
// mount namespace find it where the bundle says. Nothing of it is id-mapped: who prepared it did that, or chowned it. Without a mount
// namespace of the container's own the clone is never attached: mounts go onto the detached tree (Linux 6.15), which chroot(2) then
// makes the root, so that the host's mount table never has any of it, and all is gone with the last process.
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdio.h>

struct launch;

struct rootfs {
	int folder; // the rootfs as it was opened and checked, O_PATH
	int lower;  // detached mounts, or -1 where the child makes them
	int data;
	int lock;    // --keep: the folder, locked as long as the container lives; or -1
	int staging; // inside only: the tmpfs, with lower/ data/ root/ files/ on it; -1: the root needs none
	int root;    // inside only: the container's root mount
	int covers;  // inside only: how many mounts are stacked on the old root
};

// Outside, before clone3: opens and checks the rootfs, makes upper and work. Should: leave the rootfs as it is.
int rootfs_prepare(struct launch *launch, struct err *err);

// Prints what it is made of.
void rootfs_describe(const struct launch *launch, FILE *out);

// Outside, once the maps are written: id-maps lower, data and the sources of volumes.
int rootfs_idmap(struct launch *launch, struct err *err);

// Outside, at the end: closes what is open; removes upper and work unless they are kept.
void rootfs_remove(struct launch *launch);

// Removes a container's data folder. As an ordinary user from inside a user namespace where its files need that. Also after a crash.
int rootfs_remove_data(const char *path, struct err *err);

// Inside: puts a mount over the old root, where paths don't lead; it goes with that.
int rootfs_cover(struct launch *launch, int mount, struct err *err);

// Inside: makes every mount private, and attaches the root.
int rootfs_attach(struct launch *launch, struct err *err);

// Inside: pivot_root, and every mount of the host is gone. Mustn't: leave any way back. With root.no_pivot the old root itself, which
// can't be left where it is an initramfs, stays below: all else is gone, and nothing but umount(2) uncovers it.
int rootfs_pivot(struct launch *launch, struct err *err);

// Inside a process that joined the container (join.h): opens its root. Without a mount namespace of the container's own it enters that
// first, which nothing but the container's first process leads to.
int rootfs_join(struct launch *launch, struct err *err);

// Inside, last of all mounts: what is to be read-only becomes so, and mount events are shared as the spec says.
int rootfs_protect(struct launch *launch, struct err *err);
