// SPDX-License-Identifier: GPL-2.0-or-later
// cli.h - the front end for people: the classic command line, and verbs
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct cli {
	struct arena *arena;
	const char *root; // --root, before the verb
	int argc;         // words behind the verb
	char **argv;
	char *const *whole; // the whole command line, for running again
};

// A command returns the process's exit status; with `err` filled (-1 returned) main prints it and exits with *out_exit_code.
typedef int cli_command(struct cli *cli, int *out_exit_code, struct err *err);

// coso [FLAGS] [COMMAND…], and a verb as the first word.
int cli_main(struct arena *arena, int argc, char **argv, int *out_exit_code, struct err *err);

cli_command cmd_classic, cmd_explain, cmd_ps, cmd_kill, cmd_logs, cmd_rm, cmd_version, cmd_help;

// Rewrites the command line of barco or MyDocker, if coso is called by such a name, to the classic one (alias.c).
int alias_translate(struct arena *arena, int *argc, char ***argv, struct err *err);

// Help of the classic front end (classic.c), and a verb's first line of it (cli.c).
void classic_help(void);
void cli_usage(const char *name);
