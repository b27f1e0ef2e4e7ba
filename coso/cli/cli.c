// SPDX-License-Identifier: GPL-2.0-or-later
// cli.c - the table of verbs
#include "coso/cli/cli.h"

#include "shared/opts.h"
#include "shared/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct verb {
	const char *name;
	cli_command *run;
	const char *args, *help;
} verbs[] = {
	{ "explain", cmd_explain, "[FLAGS] [COMMAND…]", "print what a launch with these flags would do, and why" },
	{ "ps", cmd_ps, "[--json]", "list containers" },
	{ "kill", cmd_kill, "[--signal SIGNAL] ID…", "send a signal to containers (KILL)" },
	{ "logs", cmd_logs, "ID", "print what a detached container wrote" },
	{ "rm", cmd_rm, "[--force] ID…", "remove containers that have ended (--force: end them)" },
	{ "version", cmd_version, "", "print the version" },
	{ "help", cmd_help, "", "print this" },
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (str_eq(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

void cli_usage(const char *name)
{
	const struct verb *verb = find_verb(name);
	if (verb)
		printf("usage: coso %s %s\n%s\n\n", verb->name, verb->args, verb->help);
}

int cmd_version(struct cli *cli, int *out_exit_code, struct err *err)
{
	(void)cli;
	(void)err;
	printf("coso %s\n", COSO_VERSION);
	*out_exit_code = 0;
	return 0;
}

int cmd_help(struct cli *cli, int *out_exit_code, struct err *err)
{
	(void)cli;
	(void)err;
	printf("usage: coso [FLAGS] [COMMAND [ARG…]]      run a container (default: /bin/sh)\n"
	       "       coso [--root DIR] VERB …\n\nVerbs:\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("  %-8s %-24s %s\n", verbs[i].name, verbs[i].args, verbs[i].help);
	printf("\nFlags:\n");
	classic_help();
	*out_exit_code = 0;
	return 0;
}

struct globals {
	const char *root;
};

static const struct opt globals_table[] = {
	{ "root", 0, OPT_TEXT, offsetof(struct globals, root), "DIR", "" },
	{ 0 },
};

// The index of the verb, or -1: `--root DIR` is the only option before one; anything else is the classic command line.
static int find_first_word(struct cli *cli, int argc, char **argv)
{
	struct globals globals = { 0 };
	int next;
	if (opts_parse(globals_table, cli->arena, argc, argv, &globals, &next, NULL) < 0 || next >= argc)
		return -1;
	if (next > 0 && str_eq(argv[next - 1], "--"))
		return -1;
	cli->root = globals.root;
	return next;
}

// A first word that is no verb and no path, but nearly a verb, is taken for a slip.
static int check_slip(const char *word, struct err *err)
{
	const char *names[VERBS + 1] = { NULL };
	for (size_t i = 0; i < VERBS; i++)
		names[i] = verbs[i].name;
	const char *nearest = strchr(word, '/') || strlen(word) < 3 ? NULL : opts_nearest(word, names);
	if (!nearest)
		return 0;
	err_set(err, EINVAL, "unknown command '%.80s'", word);
	return err_hint(err, "did you mean 'coso %s'? 'coso -- %.80s' runs a program of that name in a container", nearest, word);
}

int cli_main(struct arena *arena, int argc, char **argv, int *out_exit_code, struct err *err)
{
	struct cli cli = { .arena = arena, .whole = argv };
	*out_exit_code = 125;
	if (alias_translate(arena, &argc, &argv, err) < 0)
		return -1;
	int at = argc > 1 ? find_first_word(&cli, argc - 1, argv + 1) : -1;
	if (at >= 0) {
		const struct verb *verb = find_verb(argv[1 + at]);
		if (verb) {
			cli.argc = argc - 2 - at;
			cli.argv = argv + 2 + at;
			return verb->run(&cli, out_exit_code, err);
		}
		if (check_slip(argv[1 + at], err) < 0)
			return -1;
	}
	cli.argc = argc - 1;
	cli.argv = argv + 1;
	return cmd_classic(&cli, out_exit_code, err);
}
