// SPDX-License-Identifier: GPL-2.0-or-later
// request.h - the command line of coso-criu as a request to criu
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <criu/rpc.pb-c.h>
#include <stdbool.h>
#include <stdio.h>

enum request_verb { REQUEST_CHECK, REQUEST_DUMP, REQUEST_PRE_DUMP, REQUEST_RESTORE };

struct request {
	enum request_verb verb;
	bool help;
	const char *program; // criu
	int channel;         // -1: none
	const char *log;     // path of criu's log
	CriuOpts *options;   // in the arena, as all that it points at
};

// Parses and checks; opens the folders, whose descriptors stay open. Descriptors that are for criu are made to be inherited, all
// others from 3 on are not. 0, or -1 with `channel` alone, if that is known.
int request_parse(struct arena *arena, int argc, char *const argv[], struct request *out, struct err *err);

// Where the images are, and the log: what request_parse did, but for `check`, which has neither.
int request_open(struct arena *arena, struct request *request, const char *images, const char *work, struct err *err);

void request_help(FILE *out);
