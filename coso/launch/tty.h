// SPDX-License-Identifier: GPL-2.0-or-later
// tty.h - the container's terminal: a pty of its own devpts inside; raw mode and window size outside. pty(7), ioctl_tty(2)
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <termios.h>

struct launch;

// Inside, after pivot_root: makes a pty in the container's devpts, binds its slave on /dev/console, sends the master through the
// gate, and makes the slave the controlling terminal and stdin, stdout and stderr.
int tty_open(struct launch *launch, struct err *err);

// Outside: the caller's terminal while it is in raw mode.
struct tty_raw {
	int fd; // -1: not in raw mode
	struct termios saved;
};

// Puts `fd` in raw mode if it is a terminal; otherwise nothing. tty_restore puts it back, as often as it is called.
int tty_set_raw(struct tty_raw *raw, int fd, struct err *err);
void tty_restore(struct tty_raw *raw);

// Gives the master the window size of `from`, if that is a terminal.
void tty_copy_size(int from, int master);

// Whether all that was typed has been read, an end of the input as well. True too if nobody has the slave open any more.
bool tty_was_read(int master);
