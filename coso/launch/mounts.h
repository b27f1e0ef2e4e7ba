// SPDX-License-Identifier: GPL-2.0-or-later
// mounts.h - the spec's mounts, each made detached and moved onto a descriptor below the container's root
//
// Theory of operation. What takes memory, and what takes rights that a user namespace doesn't have, is done outside before clone3: the
// options are split, sources of the host cloned (mountsource.h), id-mapped (idmount.h). The child makes the others (newmount.h), finds
// the mount point (mounttarget.h) and moves the mount there, in the spec's order. Attributes and propagation are set while a mount is
// still detached: nobody sees it otherwise. A tmpfs that is to be read-only becomes so at the end, when all that goes into it is there.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

struct launch;

struct mounts_option {
	const char *key;
	const char *value; // NULL: a flag
};

enum mounts_kind {
	MOUNTS_NEW,     // a new mount of a file system
	MOUNTS_BIND,    // of what is on the host, or in the container
	MOUNTS_CGROUP,  // the container's own groups
	MOUNTS_LINK,    // none: a symbolic link is made
	MOUNTS_REMOUNT, // none: the one that is there is changed
};

// One mount, prepared so that the child needs no memory.
struct mounts_item {
	const struct spec_mount *mount;
	enum mounts_kind kind;
	const char *path;    // where, in order as text
	int source;          // the mount itself if it was made outside; later, while it waits for its end: the same; else -1
	int attached;        // inside: what is mounted on /proc or /sys; else -1
	const char *within;  // bind: the source lies in the container's root, and is looked up there once it is its turn
	const char *link;    // MOUNTS_LINK: where it leads
	bool file;           // what it covers isn't a folder
	bool late_readonly;  // it is made read-only at the end
	bool whole_readonly; // so is all below it
	struct mounts_option *options;
	size_t option_count;
};

struct mounts {
	struct mounts_item *items;
	size_t count;
	struct mounts_userns {
		int fd;
		const struct spec_idmaps *uids, *gids;
	} userns;                   // outside, for the time of mounts_prepare: of the last mount that has maps of its own
	struct mounts_option label; // mountLabel, for those that can have one; key NULL: none
};

// Outside, before clone3.
int mounts_prepare(struct launch *launch, struct err *err);
void mounts_close(struct launch *launch);

// Inside: all of them, in the spec's order.
int mounts_attach(struct launch *launch, struct err *err);

// Inside: a bind mount alone, with its attributes, attached nowhere. Returns a descriptor for sys_move_mount, or -1.
int mounts_open_bind(struct launch *launch, struct mounts_item *item, struct err *err);

// Inside, when nothing more is put into any: makes read-only what was waiting for that.
int mounts_protect(struct launch *launch, struct err *err);

// The last of them at `path`, or NULL.
const struct mounts_item *mounts_find(const struct launch *launch, const char *path);

// Inside: opens (O_PATH) what is to be covered. Below /proc and /sys it is what was mounted there that counts: another container that has
// the same root could have moved the mount point away since, and what is there now would be covered in its place.
int mounts_open(const struct launch *launch, const char *path, struct err *err);

// Clones what is at `path`, as mounts_open finds it, makes the copy read-only, with all that is mounted below, and puts it over itself;
// missing is no error.
int mounts_make_readonly(const struct launch *launch, const char *path, struct err *err);
