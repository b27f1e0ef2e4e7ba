// SPDX-License-Identifier: GPL-2.0-or-later
// supervise.h - while a container runs: its terminal is copied, signals are passed on, its end is waited for
#pragma once

#include "shared/err.h"

#include <signal.h>
#include <stdbool.h>

struct supervise {
	int pidfd;   // of the container's first process, our child
	int console; // master of its pty, or -1
	int input;   // what is typed, copied to the console; -1: nothing
	int output;  // where the console's output goes
	bool every;  // all signals that can be are passed on, those that stop and go on too: this program is never stopped by one
};

// The signals that supervise_run passes on. Block them before the launch, so that none is lost between launch and run.
void supervise_block(bool every, sigset_t *out_old);

// A descriptor that is readable once SIGHUP, SIGINT, SIGQUIT or SIGTERM came, those that the caller ignores apart; -1 with err.
int supervise_open_ending(struct err *err);

// Takes such a signal. 0: there is none.
int supervise_take_ending(int fd);

// Returns 0 with the container's exit code once it ended and what its terminal still held was read. A reader that has stalled delays
// that, until one of the ending signals comes, and by no more than a moment if the container was killed. The caller's terminal is as
// it was, whatever happened.
int supervise_run(const struct supervise *supervise, int *out_exit_code, struct err *err);
