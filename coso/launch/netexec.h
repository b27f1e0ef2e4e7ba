// SPDX-License-Identifier: GPL-2.0-or-later
// netexec.h - runs the network executable: `<path> -pid <pid>`, any program that takes -pid
//
// The contract is in ARCHITECTURE.md: a clean environment with COSO_*, 30 s (or spec->network.timeout_ms), exit status 0 means that
// the network is up. It may print a JSON object: what stands in its "warnings" is passed on, and with "release": true it is called
// again at the end as `<path> -release`; the debt is noted before "go". An executable that was killed (its time was up, the launch
// was interrupted or crashed) couldn't say: then -release is called too, its own failure means nothing, and it gets 2 s. A -release
// that was owed and fails stays owed: each of the next commands calls it once more, up to 5 times in all.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/str.h"

#include <stdbool.h>

struct launch;

struct netexec {
	bool owed;             // -release has to be called
	bool doubtful;         // it was killed before it could say whether -release is owed
	struct strv addresses; // of the container, without prefix length
	struct strv dns;       // name servers that it named
};

// Runs it for launch->pid. What it said is in the message if it failed.
int netexec_run(struct launch *launch, struct err *err);

// Pays the debt, if there is one: `<path> -release` with the same environment. A failure is a warning, and launch->unclean: the debt
// stays in the state folder.
void netexec_release(struct launch *launch);

// Pays the debt that stands in the state folder `state`, and first ends what the executable left running if it was at work when a
// launch crashed. 0: nothing is owed any more; -1: -release failed, and is to be called again.
int netexec_release_noted(int state, struct err *err);
