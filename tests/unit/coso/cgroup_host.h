// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_host.h - real groups of this host for tests: a group "coso-unit-PID" of the test's own in each hierarchy
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

// The host's own hierarchies, and the same seen from below, as a container's mounts would show them.
struct host {
	struct arena arena;
	struct cgroup real, cgroup;
	struct err err;
	bool skipped;
};

// Makes the groups. False, and a line that says why, where that takes what isn't here.
bool host_start(struct host *host);

// Removes them; a test that left something in one fails.
void host_end(struct host *host);
