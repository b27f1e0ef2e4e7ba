// SPDX-License-Identifier: GPL-2.0-or-later
// manage.c - ps, kill, logs, rm: what a detached container needs
#include "coso/cli/cli.h"
#include "coso/engine/claim.h"
#include "coso/engine/gc.h"
#include "coso/engine/place.h"
#include "coso/engine/run.h"
#include "coso/engine/state.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/opts.h"
#include "shared/proc.h"
#include "shared/signame.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENDING_MS = 10000 };

struct options {
	const char *root, *signal;
	bool json, force, help;
};

#define ROOT                                                                                                                       \
	{                                                                                                                          \
		"root", 0, OPT_TEXT, offsetof(struct options, root), "DIR", "folder for COSO's own state"                          \
	}
#define HELP                                                                                                                       \
	{                                                                                                                          \
		"help", 'h', OPT_FLAG, offsetof(struct options, help), NULL, "print this"                                          \
	}

static const struct opt ps_table[] = {
	{ "json", 0, OPT_FLAG, offsetof(struct options, json), NULL, "print JSON" },
	ROOT,
	HELP,
	{ 0 },
};
static const struct opt kill_table[] = {
	{ "signal", 's', OPT_TEXT, offsetof(struct options, signal), "SIGNAL", "name or number (KILL)" },
	ROOT,
	HELP,
	{ 0 },
};
static const struct opt logs_table[] = {
	ROOT,
	HELP,
	{ 0 },
};
static const struct opt rm_table[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct options, force), NULL, "end it first" },
	ROOT,
	HELP,
	{ 0 },
};

// Parses the options, mends what a crash left, and leaves the words behind the options in cli. 1: the help was asked for, and printed.
static int start(struct cli *cli, const struct opt *table, struct options *options, struct place *place, int *out_exit_code,
		 struct err *err)
{
	int next;
	*options = (struct options){ .root = cli->root };
	if (opts_parse(table, cli->arena, cli->argc, cli->argv, options, &next, err) < 0)
		return -1;
	if (options->help) {
		cli_usage(cli->argv[-1]);
		opts_help(table, stdout);
		*out_exit_code = 0;
		return 1;
	}
	cli->argc -= next;
	cli->argv += next;
	if (place_open(cli->arena, options->root, place, err) < 0)
		return -1;
	gc_sweep(place, false);
	return 0;
}

static int open_container(const struct place *place, const char *id, struct err *err)
{
	if (run_check_id(id, err) < 0)
		return -1;
	int folder = openat(place->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder < 0 ? err_set(err, ENOENT, "no container '%s' (coso ps)", id) : folder;
}

static const char *status_of(struct arena *arena, const struct state *state)
{
	if (state_is_running(state))
		return state->launching ? "starting" : "running";
	if (!state->ended)
		return "ending";
	if (state->exit_code == STATE_EXIT_UNKNOWN)
		return "exited (unknown)";
	return arena_printf(arena, "exited (%d)", state->exit_code);
}

static void print_json(struct arena *arena, json_t *list, const struct state *state)
{
	json_t *exit_code = state->ended && state->exit_code != STATE_EXIT_UNKNOWN ? json_integer(state->exit_code) : json_null();
	json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:o, s:s*, s:s*, s:s*, s:s*}", "id", state->id, "status",
					      status_of(arena, state), "pid", (int)state->pid, "exitCode", exit_code, "command",
					      state->command, "rootfs", state->rootfs, "network", state->network, "created",
					      state->created));
}

static const char *printable(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text ? text : "");
	str_clean(copy);
	return copy;
}

static void list_containers(struct cli *cli, const struct place *place, json_t *list)
{
	int copy = openat(place->run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		struct state state;
		own_fd int fd =
			entry->d_name[0] == '.' ? -1 : openat(place->run_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || state_read(cli->arena, fd, &state, NULL) < 0)
			continue;
		if (list)
			print_json(cli->arena, list, &state);
		else
			printf("%-20s %-8d %-17s %-30s %s\n", state.id, (int)state.pid, status_of(cli->arena, &state),
			       state.created ? state.created : "", printable(cli->arena, state.command));
	}
	if (folder)
		closedir(folder);
	else
		fd_close(&copy);
}

int cmd_ps(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct options options;
	struct place place;
	int help = start(cli, ps_table, &options, &place, out_exit_code, err);
	if (help)
		return help < 0 ? -1 : 0;
	json_t *list = options.json ? json_array() : NULL;
	if (!list)
		printf("%-20s %-8s %-17s %-30s %s\n", "ID", "PID", "STATUS", "CREATED", "COMMAND");
	list_containers(cli, &place, list);
	if (list) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		printf("\n");
	}
	json_decref(list);
	place_close(&place);
	*out_exit_code = 0;
	return 0;
}

static int parse_signal(const char *text, int *out, struct err *err)
{
	int number = signame_parse(text);
	if (number < 0)
		return err_set(err, EINVAL, "--signal '%.40s': neither the name nor the number of a signal", text);
	*out = number;
	return 0;
}

static int signal_container(struct cli *cli, const struct place *place, const char *id, int signal, struct err *err)
{
	struct state state;
	own_fd int folder = open_container(place, id, err);
	if (folder < 0 || state_read(cli->arena, folder, &state, err) < 0)
		return -1;
	own_fd int pidfd = state_pidfd(&state);
	if (pidfd < 0 || sys_pidfd_send_signal(pidfd, signal) < 0)
		return err_set(err, ESRCH, "container '%s' doesn't run", id);
	return 0;
}

static int signal_one(struct cli *cli, const struct place *place, const char *id, const void *signal, struct err *err)
{
	return signal_container(cli, place, id, *(const int *)signal, err);
}

// All are tried: the last that fails is the error, those before are told at once. Nothing is done if one can't be a name, as an option
// can't that stands behind them.
static int for_each(struct cli *cli, const struct place *place,
		    int (*one)(struct cli *, const struct place *, const char *id, const void *how, struct err *), const void *how,
		    struct err *err)
{
	int result = 0;
	for (int i = 0; i < cli->argc; i++) {
		if (run_check_id(cli->argv[i], err) < 0)
			return *cli->argv[i] == '-' ? err_hint(err, "options come before the names") : -1;
	}
	for (int i = 0; i < cli->argc; i++) {
		struct err why;
		if (one(cli, place, cli->argv[i], how, &why) == 0)
			continue;
		if (result < 0)
			log_warning("%s", err->msg);
		*err = why;
		result = -1;
	}
	return result;
}

int cmd_kill(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct options options;
	struct place place;
	int signal = SIGKILL;
	int help = start(cli, kill_table, &options, &place, out_exit_code, err);
	if (help)
		return help < 0 ? -1 : 0;
	int result = options.signal ? parse_signal(options.signal, &signal, err) : 0;
	if (result == 0 && cli->argc == 0)
		result = err_set(err, EINVAL, "kill: which container? (coso ps)");
	if (result == 0)
		result = for_each(cli, &place, signal_one, &signal, err);
	place_close(&place);
	*out_exit_code = result < 0 ? 1 : 0;
	return result;
}

int cmd_logs(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct options options;
	struct place place;
	char buffer[16384];
	int help = start(cli, logs_table, &options, &place, out_exit_code, err);
	if (help)
		return help < 0 ? -1 : 0;
	*out_exit_code = 1;
	if (cli->argc != 1)
		return err_set(err, EINVAL, "logs: one container (coso ps)");
	own_fd int folder = open_container(&place, cli->argv[0], err);
	if (folder < 0)
		return -1;
	const char *path = arena_printf(cli->arena, "%s/log", place_container(cli->arena, &place, cli->argv[0]));
	own_fd int log = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (log < 0)
		return err_set(err, ENOENT, "container '%s' has no log: it doesn't run detached", cli->argv[0]);
	ssize_t n;
	while ((n = read(log, buffer, sizeof(buffer))) > 0) {
		if (fd_write_full(STDOUT_FILENO, buffer, (size_t)n) < 0)
			return err_sys(err, "write to stdout");
	}
	place_close(&place);
	*out_exit_code = 0;
	return 0;
}

// Its owner lets go of the lock once all is cleaned up.
static int lock_ended(const struct place *place, const char *id, struct claim *claim, struct err *err)
{
	int64_t deadline = proc_now_ms() + ENDING_MS;
	while (claim_lock(place, id, claim, err) < 0) {
		if (err->code != EBUSY || proc_now_ms() > deadline)
			return -1;
		fd_wait(-1, 5);
	}
	return 0;
}

static int remove_one(struct cli *cli, const struct place *place, const char *id, const void *how, struct err *err)
{
	const bool force = *(const bool *)how;
	struct state state = { 0 };
	struct claim claim;
	own_fd int folder = open_container(place, id, err);
	if (folder < 0)
		return -1;
	bool known = state_read(cli->arena, folder, &state, err) == 0;
	if (!known && err->code != ENOENT && !force) {
		err_wrap(err, "container '%s'", id);
		return err_hint(err, "coso rm --force '%s' ends and removes it", id);
	}
	bool running = known && state_is_running(&state);
	if (running && !force)
		return err_set(err, EBUSY, "container '%s' runs (coso rm --force ends it first)", id);
	if (running && signal_container(cli, place, id, SIGKILL, err) < 0 && err->code != ESRCH)
		return -1;
	if (lock_ended(place, id, &claim, err) < 0)
		return err->code == ENOENT ? 0 : -1; // its owner removed it
	if (!force && state_read(cli->arena, claim.state, &state, NULL) == 0 && state_is_running(&state)) {
		claim_drop(place, &claim); // it was being launched, and its monitor died
		return err_set(err, EBUSY, "container '%s' runs (coso rm --force ends it first)", id);
	}
	int result = gc_remove_parts(place, id, claim.state, err);
	if (result == 0)
		claim_release(place, id, &claim);
	else
		claim_drop(place, &claim);
	return result;
}

int cmd_rm(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct options options;
	struct place place;
	int help = start(cli, rm_table, &options, &place, out_exit_code, err);
	if (help)
		return help < 0 ? -1 : 0;
	int result = cli->argc ? 0 : err_set(err, EINVAL, "rm: which container? (coso ps)");
	if (result == 0)
		result = for_each(cli, &place, remove_one, &options.force, err);
	place_close(&place);
	*out_exit_code = result < 0 ? 1 : 0;
	return result;
}
