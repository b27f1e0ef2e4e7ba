// SPDX-License-Identifier: GPL-2.0-or-later
// logfile.h - `--log FILE`: what an engine reads to learn why a command failed
//
// Readers differ: some decode the file as one JSON object, some as a stream of which the last one with level "error" counts. So a
// command that fails writes one object, the error; warnings are written only by one that succeeds, and without a log on stderr.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/str.h"

#include <stdbool.h>

struct logfile {
	struct arena *arena;
	int fd; // -1: there is none
	bool json;
	struct strv held; // records that wait for the command's success
};

// Opens (and makes) the file for appending; `path` NULL: none. From then on warnings are held, in *out_log: it must stay where it is. `format` is "text", "json" or NULL.
int logfile_open(struct arena *arena, const char *path, const char *format, struct logfile *out_log, struct err *err);

// The command succeeded, or failed with `message`: writes what is to be written.
void logfile_succeed(struct logfile *log);
void logfile_fail(struct logfile *log, const char *message);
