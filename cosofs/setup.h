// SPDX-License-Identifier: GPL-2.0-or-later
// setup.h - gets coso its root file system: a tarball that is given, else the pinned release, else the built-in root
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct setup {
	const char *rootfs;       // NULL: setup_default
	const char *tarball;      // file or URL; NULL: the pinned release
	const char *sha256;       // of the tarball; NULL: not checked
	const char *release_file; // instead of the release that is built in
	bool builtin;             // ask nobody, make the built-in root
	bool force;               // replace what is there
};

// /tmp/coso/rootfs for root, else $XDG_DATA_HOME/coso/rootfs or ~/.local/share/coso/rootfs. NULL: there is no home folder.
const char *setup_default(struct arena *arena, struct err *err);

// Makes it, whole or not at all, and prints one line. A root file system that is there already is left as it is. 0 or -1.
int setup_run(struct arena *arena, const struct setup *setup, struct err *err);
