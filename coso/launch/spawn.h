// SPDX-License-Identifier: GPL-2.0-or-later
// spawn.h - makes the container's first process: clone3(2), in new namespaces and in those that it joins
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdio.h>

struct launch;

// Prints which namespaces are new, and which are joined.
void spawn_describe(const struct launch *launch, FILE *out);

// Makes the child, which runs launch_child, and fills in pid, pidfd, gate and report. err->code EUSERS: no user namespace can be had.
int spawn_run(struct launch *launch, struct err *err);

// In the child, once it is in its groups: enters the cgroup namespace, where it wasn't born in it. Async-signal-safe.
int spawn_enter_cgroup(const struct launch *launch, struct err *err);

// Ends the child if it is there, and closes its channels.
void spawn_undo(struct launch *launch);

// The maps of a user namespace that exists, for who is about to join it: as /proc/PID/uid_map has them.
int spawn_read_maps(struct arena *arena, const char *path, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids,
		    struct err *err);
