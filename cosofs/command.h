// SPDX-License-Identifier: GPL-2.0-or-later
// command.h - what the commands of cosofs share: their table's rows, their arguments, their exit codes
#pragma once

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <stdbool.h>

enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

struct command {
	const char *name;
	int (*run)(struct arena *arena, int argc, char *const argv[], struct err *err); // arguments without the name; an exit code
	const char *args;
	const char *help;
	const struct opt *options;
};

// Options that every command takes: the first member of each command's struct.
struct command_common {
	bool verbose, quiet;
};
#define COMMAND_OPTIONS                                                                                                            \
	{ "verbose", 'v', OPT_FLAG, offsetof(struct command_common, verbose), NULL, "say what is done" },                          \
	{                                                                                                                          \
		"quiet", 'q', OPT_FLAG, offsetof(struct command_common, quiet), NULL, "say nothing but errors"                     \
	}

struct command_line {
	int argc;
	char *const *argv;
	size_t want;       // how many words the command wants, exactly
	struct strv words; // out: those that are no options
};

// Parses options, before, between and after the words. Returns 0, or -1: a usage error.
int command_parse(const struct command *command, struct arena *arena, struct command_line *line, void *to, struct err *err);

extern const struct command setup_command, unpack_command, prepare_command, remove_command;
