// SPDX-License-Identifier: GPL-2.0-or-later
// oci.c - the table of commands, and the options before them
#include "coso/oci/oci.h"

#include "coso/oci/container.h"
#include "coso/oci/logfile.h"
#include "coso/oci/words.h"
#include "coso/spec/caller.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command {
	const char *name;
	oci_command *run;
	const char *args, *help;
} commands[] = {
	{ "create", oci_cmd_create, "CONTAINER", "make a container that waits to be started" },
	{ "start", oci_cmd_start, "CONTAINER", "start its program" },
	{ "run", oci_cmd_run, "CONTAINER", "create and start" },
	{ "state", oci_cmd_state, "CONTAINER", "print its state as JSON" },
	{ "kill", oci_cmd_kill, "CONTAINER [SIGNAL]", "send a signal (TERM)" },
	{ "delete", oci_cmd_delete, "CONTAINER", "remove it" },
	{ "exec", oci_cmd_exec, "CONTAINER cmd [ARG...]", "run another process in it" },
	{ "list", oci_cmd_list, "", "list containers" },
	{ "ps", oci_cmd_ps, "CONTAINER [PS-OPTION...]", "list its processes" },
	{ "pause", oci_cmd_pause, "CONTAINER", "freeze its processes" },
	{ "resume", oci_cmd_resume, "CONTAINER", "thaw them" },
	{ "update", oci_cmd_update, "CONTAINER", "change its limits" },
	{ "events", oci_cmd_events, "CONTAINER", "print what it uses, and when memory runs out" },
	{ "checkpoint", oci_cmd_checkpoint, "CONTAINER", "write its processes to disk" },
	{ "restore", oci_cmd_restore, "CONTAINER", "read them back" },
	{ "spec", oci_cmd_spec, "", "write a config.json to start from" },
	{ "features", oci_cmd_features, "", "print what this runtime can do as JSON" },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

struct globals {
	const char *root, *log, *log_format, *log_level, *manager, *rootless, *criu;
	bool systemd, debug, version, help;
};

static const struct opt table[] = {
	{ "root", 0, OPT_TEXT, offsetof(struct globals, root), "DIR", "folder of the containers' state" },
	{ "log", 0, OPT_TEXT, offsetof(struct globals, log), "FILE", "append why a command failed, and warnings" },
	{ "log-format", 0, OPT_TEXT, offsetof(struct globals, log_format), "text|json", "form of that file (text)" },
	{ "log-level", 0, OPT_TEXT, offsetof(struct globals, log_level), "error|warning|debug", "how much (warning)" },
	{ "debug", 0, OPT_FLAG, offsetof(struct globals, debug), NULL, "the same as --log-level debug" },
	{ "systemd-cgroup", 0, OPT_FLAG, offsetof(struct globals, systemd), NULL, "let systemd make control groups" },
	{ "cgroup-manager", 0, OPT_TEXT, offsetof(struct globals, manager), "cgroupfs|systemd|disabled",
	  "who makes them (cgroupfs)" },
	{ "rootless", 0, OPT_TEXT, offsetof(struct globals, rootless), "true|false|auto",
	  "taken for compatibility: it is found out" },
	{ "criu", 0, OPT_TEXT, offsetof(struct globals, criu), "PATH", NULL },
	{ "version", 'v', OPT_FLAG, offsetof(struct globals, version), NULL, "print the version" },
	{ "help", 'h', OPT_FLAG, offsetof(struct globals, help), NULL, "print this" },
	{ 0 },
};

// Engines choose a runtime by its name, and ask more of some names than of others: a link may have one of these.
static const char *const programs[] = { "coso-oci", "crun", "runc" };

// NULL: called by no such name.
static const char *called_by(const char *path)
{
	const char *slash = strrchr(path, '/');
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (str_eq(slash ? slash + 1 : path, programs[i]))
			return programs[i];
	}
	return NULL;
}

bool oci_is_meant(int argc, char *const argv[])
{
	return called_by(argv[0]) || (argc > 1 && str_eq(argv[1], "oci"));
}

static void print_help(const struct oci *oci)
{
	printf("%s - an OCI runtime\n\nUsage: %s [OPTION...] COMMAND ...\n\nCommands:\n", oci->program, oci->program);
	for (size_t i = 0; i < COMMANDS; i++)
		printf("   %-11s %-26s %s\n", commands[i].name, commands[i].args, commands[i].help);
	printf("\nOptions before the command:\n");
	opts_help(table, stdout);
}

// One line alone may have the word "version" in it: engines cut there.
static void print_version(const struct oci *oci)
{
	printf("%s version %s\ncommit: %s\nspec: %s\n", oci->program, COSO_VERSION, COSO_COMMIT, OCI_SPEC_VERSION);
	printf("+SECCOMP +CAP +EBPF +SYSTEMD +APPARMOR +SELINUX\n");
}

static int choose_manager(const struct globals *globals, enum spec_cgroup_manager *out, struct err *err)
{
	const char *name = globals->manager ? globals->manager : globals->systemd ? "systemd" : "cgroupfs";
	*out = str_eq(name, "systemd") ? SPEC_CGROUP_SYSTEMD : str_eq(name, "disabled") ? SPEC_CGROUP_DISABLED : SPEC_CGROUPFS;
	if (*out == SPEC_CGROUPFS && !str_eq(name, "cgroupfs"))
		return err_set(err, EINVAL, "--cgroup-manager '%.40s': none of cgroupfs, systemd, disabled", name);
	return 0;
}

static void choose_level(const struct globals *globals)
{
	const char *level = globals->log_level ? globals->log_level : "warning";
	bool debug = globals->debug || str_eq(level, "debug");
	log_setup("coso-oci", debug ? LOG_LEVEL_DEBUG : str_eq(level, "error") ? LOG_LEVEL_QUIET : LOG_LEVEL_WARNING);
}

// True if the value of an option is the next word.
static bool takes_next(const struct opt *options, const char *word)
{
	const char *name = word + strspn(word, "-");
	for (const struct opt *o = options; o->name; o++) {
		if (str_eq(o->name, name) || (o->letter && name[0] == o->letter && !name[1]))
			return o->kind != OPT_FLAG;
	}
	return false;
}

int oci_options(struct oci *oci, const struct opt *options, void *to, struct err *err)
{
	for (int i = 0; i < oci->argc && oci->argv[i][0] == '-' && !str_eq(oci->argv[i], "--"); i++) {
		if (!str_eq(oci->argv[i], "--help") && !str_eq(oci->argv[i], "-h")) {
			i += takes_next(options, oci->argv[i]);
			continue;
		}
		printf("Usage: %s [OPTION...] %s %s\n\nOptions:\n", oci->program, oci->command, oci->args);
		opts_help(options, stdout);
		return 1;
	}
	int next;
	if (opts_parse(options, oci->arena, oci->argc, oci->argv, to, &next, err) < 0)
		return -1;
	oci->argc -= next;
	oci->argv += next;
	return 0;
}

const char *oci_id(struct oci *oci, struct err *err)
{
	if (oci->argc < 1) {
		err_set(err, EINVAL, "container id cannot be empty");
		return NULL;
	}
	return container_check_id(oci->argv[0], err) < 0 ? NULL : oci->argv[0];
}

static int run_command(struct oci *oci, int *out_exit_code, struct err *err)
{
	const char *names[COMMANDS + 1] = { NULL };
	for (size_t i = 0; i < COMMANDS; i++) {
		names[i] = commands[i].name;
		if (!str_eq(commands[i].name, oci->argv[0]))
			continue;
		oci->command = commands[i].name;
		oci->args = commands[i].args;
		oci->argc--;
		oci->argv++;
		return commands[i].run(oci, out_exit_code, err);
	}
	const char *nearest = opts_nearest(oci->argv[0], names);
	err_set(err, EINVAL, "unknown command '%.80s'", oci->argv[0]);
	return nearest ? err_hint(err, "did you mean %s?", nearest) : -1;
}

static int fail(const struct oci *oci, struct logfile *log, const char *reason)
{
	char *message = oci->command ? arena_printf(oci->arena, "coso %s failed: %s", oci->command, reason) :
				       arena_strdup(oci->arena, reason);
	words_lower(message);
	logfile_fail(log, message);
	char *line = arena_printf(oci->arena, "%s\n", message);
	(void)!fd_write_full(STDERR_FILENO, line, strlen(line));
	return 1;
}

int oci_main(struct arena *arena, int argc, char **argv, int inherited)
{
	const char *name = called_by(argv[0]);
	struct oci oci = { .arena = arena, .program = name ? name : "coso oci", .whole = argv, .inherited = inherited };
	struct globals globals = { 0 };
	struct logfile log = { .fd = -1 };
	struct err err = { 0 };
	int next, exit_code = 0, skip = name ? 1 : 2;
	if (opts_parse(table, arena, argc - skip, argv + skip, &globals, &next, &err) < 0)
		return fail(&oci, &log, err.msg);
	if (globals.version || globals.help || skip + next >= argc) {
		globals.version ? print_version(&oci) : print_help(&oci);
		return globals.version || globals.help ? 0 : 1;
	}
	choose_level(&globals);
	oci.argc = argc - skip - next;
	oci.argv = argv + skip + next;
	log.arena = arena;
	if (logfile_open(arena, globals.log, globals.log_format, &log, &err) < 0 ||
	    choose_manager(&globals, &oci.manager, &err) < 0 || container_root(arena, globals.root, &oci.root, &err) < 0)
		return fail(&oci, &log, err.msg);
	if (run_command(&oci, &exit_code, &err) < 0) {
		fail(&oci, &log, err.msg);
		return exit_code ? exit_code : 1;
	}
	logfile_succeed(&log);
	return exit_code;
}
