// SPDX-License-Identifier: GPL-2.0-or-later
// process.h - what the program finds when it starts: its user's home, working folder, standard input, descriptors and limits
#pragma once

#include "shared/err.h"

struct launch;

// Inside: finds the user in the container's files, and their home folder.
int process_lookup(struct launch *launch, struct err *err);

// Inside, before a read-only root is that: makes the working folder, which process_prepare makes elsewhere.
int process_make_folder(struct launch *launch, struct err *err);

// Inside, after pivot_root. Should: leave the working folder inside the root, and every descriptor but 0 to 2 and those to be preserved
// close-on-exec.
int process_prepare(struct launch *launch, struct err *err);

// Outside, once the child is there: raises hard limits, which nobody in a user namespace can. setrlimit(2)
int process_raise_limits(struct launch *launch, struct err *err);

// Inside, last of all that needs descriptors: with few of them allowed nothing else would work.
int process_limit(struct launch *launch, struct err *err);
