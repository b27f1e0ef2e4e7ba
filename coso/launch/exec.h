// SPDX-License-Identifier: GPL-2.0-or-later
// exec.h - the last stage: find the program and become it, or say exactly why not
#pragma once

#include "shared/err.h"

struct launch;

// Why execve(path) failed with the errno `code`, better than its own words: a missing interpreter, CRLF line ends, another machine,
// a folder. `where` is what the path is in, as in "isn't in this root file system". Sets err; returns -1.
int exec_explain(const char *path, const char *where, int code, struct err *err);

// Inside, for create: finds out early that the program isn't there or can't be run. Without a program all is well.
int exec_check(struct launch *launch, struct err *err);

// Inside. Searches PATH of the container's environment, as execvp(3). Returns only on failure: -1 with launch->exit_code 127
// (not found) or 126 (found, but can't be run).
int exec_program(struct launch *launch, struct err *err);
