// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_host.h - real groups of this host for tests: a group "coso-unit-PID" of the test's own in each hierarchy
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PATIENCE_MS = 10000 };

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

// A child that joins the group and then runs `body`; its pidfd is returned. It doesn't outlive a test by much.
int host_spawn(struct host *host, int (*body)(void), pid_t *out_pid);

// A body that waits to be killed.
int host_wait(void);

// Waits for the child, closes its pidfd, and returns its status.
int host_ended(int pidfd);

// A file of the group, as one line, where it has `controller` ("": on v2); "" if there is none.
const char *host_read(struct host *host, const char *controller, const char *file);

// Waits until something holds.
bool host_until(struct host *host, bool (*holds)(struct host *host));

// Makes a group below the group, in every hierarchy that it is in, as a container would.
void host_below(struct host *host, const char *name);
