// SPDX-License-Identifier: GPL-2.0-or-later
// whole.h - a folder that appears whole or not at all: filled under another name beside it, synced, renamed
//
// For /a/root the neighbours are /a/.root.lock (held by flock while one process works on it), /a/.root.new (being filled, or being
// removed) and /a/.root.part (a download that can be resumed). Whoever gets the lock removes what a killed process left.
#pragma once

#include "shared/err.h"

#include <limits.h>
#include <stdbool.h>

struct whole {
	char path[PATH_MAX];     // as given, without slashes at the end
	char name[NAME_MAX + 1]; // of the folder, in its parent
	char lock_name[NAME_MAX + 1], work_name[NAME_MAX + 1], part_name[NAME_MAX + 1];
	int parent; // folder that holds it
	int lock;   // -1: not held
	int work;   // the new folder; -1: none
};

// Opens the parent (path_open_trusted), and makes it, mode 0700, if it is missing and `make` says so. Call whole_close whatever happens.
int whole_open(struct whole *w, const char *path, bool make, struct err *err);

// Waits until nobody else works on this folder, and removes what is left of who did.
int whole_lock(struct whole *w, struct err *err);

// Makes the empty new folder, w->work, mode 0755.
int whole_begin(struct whole *w, struct err *err);

// Syncs the new folder and gives it its name. Something that is there already is an error, or, with `replace`, is replaced
// in one step and removed; an empty folder is always replaced.
int whole_commit(struct whole *w, bool replace, struct err *err);

// Removes the folder itself: it goes in one step, then what was in it.
int whole_remove(struct whole *w, struct err *err);

// Drops what was not committed, and the lock.
void whole_close(struct whole *w);
