// SPDX-License-Identifier: GPL-2.0-or-later
// activation.h - descriptors from 3 on that the program inherits: --preserve-fds, and those of LISTEN_FDS. sd_listen_fds(3)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

struct activation {
	int count;  // of all of them
	int listen; // of those that LISTEN_FDS tells of
};

// From the number of those that the caller left open, the option's text (NULL: not given) and the environment. LISTEN_FDS counts if
// LISTEN_PID is ours, or isn't set. It is an error if there are fewer; but LISTEN_FDS alone, with none, is just told to the program.
int activation_read(int inherited, const char *preserve, struct activation *out, struct err *err);

// They survive when this program runs again.
int activation_keep(const struct activation *activation, struct err *err);

// Tells the program: LISTEN_FDS, and LISTEN_PID=1.
void activation_apply(const struct activation *activation, struct spec *spec);
