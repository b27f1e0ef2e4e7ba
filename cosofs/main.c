// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - cosofs: root file systems for coso. Picks the command and prints the one error
#include "cosofs/command.h"
#include "cosofs/interrupt.h"
#include "shared/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct command *const commands[] = { &setup_command, &unpack_command, &prepare_command, &remove_command, NULL };
enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static const struct command *find(const char *name)
{
	const struct command *const *command = commands;
	while (*command && !str_eq((*command)->name, name))
		command++;
	return *command;
}

static int unknown(const char *word, struct err *err)
{
	const char *names[COMMANDS + 2] = { "help", "version" };
	for (size_t i = 0; commands[i]; i++)
		names[i + 2] = commands[i]->name;
	const char *nearest = opts_nearest(word, names);
	err_set(err, EINVAL, "unknown command '%.80s'", word);
	err_hint(err, nearest ? "did you mean '%s'?" : "cosofs help", nearest);
	return COMMAND_USAGE;
}

static void help_all(FILE *out)
{
	fputs("usage: cosofs COMMAND [OPTIONS] [ARGUMENTS]\n\nRoot file systems for coso.\n\n", out);
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->help);
	fputs("  help      this text, or a command's\n  version   the version\n", out);
}

static int help(const char *word, struct err *err)
{
	const struct command *command = word ? find(word) : NULL;
	if (word && !command)
		return unknown(word, err);
	if (!command) {
		help_all(stdout);
	} else {
		printf("usage: cosofs %s [OPTIONS]%s%s\n\n%s\n\n", command->name, *command->args ? " " : "", command->args,
		       command->help);
		opts_help(command->options, stdout);
	}
	return fflush(stdout) == 0 ? COMMAND_OK : COMMAND_FAILED;
}

static bool is_help(const char *word)
{
	return str_eq(word, "help") || str_eq(word, "--help") || str_eq(word, "-help") || str_eq(word, "-h");
}

static int dispatch(struct arena *arena, int argc, char *argv[], struct err *err)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	if (!word) {
		help_all(stderr);
		err_set(err, EINVAL, "no command");
		return COMMAND_USAGE;
	}
	if (is_help(word))
		return help(argc > 2 ? argv[2] : NULL, err);
	if (str_eq(word, "version") || str_eq(word, "--version") || str_eq(word, "-version")) {
		puts("cosofs " COSO_VERSION);
		return fflush(stdout) == 0 ? COMMAND_OK : COMMAND_FAILED;
	}
	const struct command *command = find(word);
	if (!command)
		return unknown(word, err);
	for (int i = 2; i < argc && !str_eq(argv[i], "--"); i++) {
		if (is_help(argv[i]) && argv[i][0] == '-')
			return help(word, err);
	}
	interrupt_hold();
	return command->run(arena, argc - 2, argv + 2, err);
}

// A caller may have closed the standard descriptors; a file opened in their place would be written to by mistake.
static void open_standard(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char *argv[])
{
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct rlimit files;
	open_standard();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) { // removing a deep tree takes two descriptors a level
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	log_setup("cosofs", LOG_LEVEL_WARNING);
	int code = dispatch(&arena, argc, argv, &err);
	if (code != COMMAND_OK)
		log_error("%s", err.msg[0] ? err.msg : "can't write the output");
	arena_free(&arena);
	interrupt_release();
	return code;
}
