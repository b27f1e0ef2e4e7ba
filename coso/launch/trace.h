// SPDX-License-Identifier: GPL-2.0-or-later
// trace.h - where the time goes: stages as Chrome trace events (opens in Perfetto and chrome://tracing)
#pragma once

#include "shared/err.h"

enum trace_phase { TRACE_BEGIN = 'B', TRACE_END = 'E' };

// Makes (or empties) the file and begins the array. Returns a descriptor that parent and child both append to, or -1.
int trace_open(const char *path, struct err *err);

// One event of the calling process, in one write(2). fd -1: nothing. Async-signal-safe.
void trace_event(int fd, const char *name, enum trace_phase phase);

// Ends the array, so that the file is valid JSON, and closes it.
void trace_close(int *fd);
