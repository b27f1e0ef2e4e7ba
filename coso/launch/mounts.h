// SPDX-License-Identifier: GPL-2.0-or-later
// mounts.h - the spec's mounts, each made detached and moved onto a descriptor below the container's root
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

struct launch;

// One mount, prepared so that the child needs no memory.
struct mounts_item {
	const struct spec_mount *mount;
	int source;  // bind: a detached copy of the source (privileged), else -1 and the child opens the path
	bool folder; // what it covers is a folder
	struct mounts_option {
		const char *key;
		const char *value; // NULL: a flag
	} * options;
	size_t option_count;
};

struct mounts {
	struct mounts_item *items;
	size_t count;
};

// Outside, before clone3: splits the options, opens the sources of bind mounts.
int mounts_prepare(struct launch *launch, struct err *err);
void mounts_close(struct launch *launch);

// Inside: all of them, in the spec's order.
int mounts_attach(struct launch *launch, struct err *err);

// Takes an attached clone, and what is below it, out of the peer group of what it was cloned from: nothing that is mounted in a
// volume appears on the host, or the reverse. Inside.
int mounts_make_private(int mount, struct err *err);

// Sets attributes on a mount by descriptor, also where mount_setattr(2) is missing (before Linux 5.12). Inside: async-signal-safe.
int mounts_set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive, struct err *err);

// Clones what is at `path` below `root`, makes the copy read-only, puts it over itself; missing is no error.
int mounts_make_readonly(int root, const char *path, struct err *err);
