// SPDX-License-Identifier: GPL-2.0-or-later
// pidfile.h - a process's number in a file of the caller's, for who has to know it
#pragma once

#include "shared/err.h"

#include <sys/types.h>

// Writes the digits and nothing else, whole or not at all: a reader never sees less than the number.
int pidfile_write(const char *path, pid_t pid, struct err *err);
