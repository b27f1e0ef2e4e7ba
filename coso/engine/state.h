// SPDX-License-Identifier: GPL-2.0-or-later
// state.h - what is written down about a container: run/<id>/state.json, version 1, one writer
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STATE_EXIT_UNKNOWN = -1 };

struct state {
	const char *id, *rootfs, *command, *network, *created; // created: RFC 3339, UTC
	pid_t pid;                                             // the container's first process; 0: it has ended, or never began
	uint64_t pid_start;                                    // its start time (proc.h); 0: it had ended before that was read
	pid_t owner;                                           // launcher or monitor
	uint64_t owner_start;
	bool detached, remove;
	bool launching; // its program may not have been started yet: without its owner it ends
	bool ended;
	int exit_code; // once ended; STATE_EXIT_UNKNOWN: nobody was there to see
};

// `folder` is the container's state folder.
int state_write(int folder, const struct state *state, struct err *err);
int state_read(struct arena *arena, int folder, struct state *out_state, struct err *err);

// A descriptor of its first process, and of no other that has its pid by now; or -1 with ESRCH.
int state_pidfd(const struct state *state);

// The kernel's word: is its first process there?
bool state_is_running(const struct state *state);
