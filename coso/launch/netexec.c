// SPDX-License-Identifier: GPL-2.0-or-later
// netexec.c - runs the network executable and reads what it answers
#include "coso/launch/netexec.h"

#include "coso/launch/exec.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/num.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, DOUBTFUL_MS = 2000, TIMEOUT_MOST_MS = 3600000, OUTPUT_CAP = 16 << 10, RELEASE_TRIES = 5 };

// In the state folder: the executable, its time in milliseconds, how often -release was tried, then its environment, a NUL behind each.
static const char debt_name[] = "network-release";
static const char doubt_name[] = "network-doubtful"; // the same, while the executable runs

static int timeout_of(const struct launch *launch)
{
	int ms = launch->spec->network.timeout_ms;
	return ms ? ms : TIMEOUT_MS;
}

static struct strv environment(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	struct arena *a = launch->arena;
	struct strv env = { 0 };
	char *publish = arena_strdup(a, "");
	for (size_t i = 0; i < spec->network.publish.count; i++)
		publish = arena_printf(a, "%s%s%s", publish, i ? "," : "", spec->network.publish.items[i]);
	strv_push(a, &env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_push(a, &env, arena_printf(a, "COSO_ID=%s", spec->id));
	strv_push(a, &env, arena_printf(a, "COSO_NAME=%s", spec->name ? spec->name : spec->id));
	strv_push(a, &env, arena_printf(a, "COSO_HOSTNAME=%s", spec->hostname ? spec->hostname : ""));
	strv_push(a, &env, arena_printf(a, "COSO_NETWORK=%s", spec->network.name ? spec->network.name : ""));
	strv_push(a, &env, arena_printf(a, "COSO_PUBLISH=%s", publish));
	if (spec->network.no_metadata)
		strv_push(a, &env, "COSO_METADATA=no");
	strv_push(a, &env, arena_printf(a, "COSO_STATE=%s/network", launch->state_path));
	return env;
}

// The JSON object that begins one of the lines, or NULL. Tools that a script calls may have said something before it.
static json_t *find_answer(const char *text)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		json_t *answer = *line == '{' ? json_loads(line, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, NULL) : NULL;
		if (json_is_object(answer))
			return answer;
		json_decref(answer);
	}
	return NULL;
}

static const char *one_line(struct arena *arena, char *text)
{
	str_clean(text);
	return arena_printf(arena, "%.400s", text);
}

// What a helper that failed said; stderr first, since that is where reasons belong, then stdout unless it is our JSON.
static const char *said(struct arena *arena, const struct proc_result *result)
{
	const char *line = one_line(arena, result->err);
	if (*line)
		return line;
	json_t *answer = find_answer(result->out);
	line = answer ? "" : one_line(arena, result->out);
	json_decref(answer);
	return *line ? line : "it said nothing";
}

// The helper could not be executed.
static int not_started(const char *path, struct err *err)
{
	if (err->code == ENOENT || err->code == ENOEXEC || err->code == EACCES || err->code == ENOTDIR)
		exec_explain(path, "on this host", err->code, err);
	if (err->code == ENOENT && access(path, F_OK) < 0)
		err_hint(err, "'make install' puts cosonet there; --network none goes without");
	return -1;
}

static void take_addresses(struct launch *launch, json_t *object, struct strv *list, const char *key)
{
	size_t i;
	json_t *value, *array = json_object_get(object, key);
	json_array_foreach(array, i, value) {
		const char *text = json_string_value(value);
		struct num_cidr cidr;
		if (!text || num_cidr(key, text, &cidr, NULL) < 0)
			continue;
		strv_push(launch->arena, list, arena_strndup(launch->arena, text, strcspn(text, "/")));
	}
}

static void pass_warnings_on(const json_t *warnings)
{
	size_t i;
	json_t *warning;
	json_array_foreach(warnings, i, warning) {
		if (json_is_string(warning))
			log_warning("network: %s", json_string_value(warning));
	}
}

static void read_answer(struct launch *launch, char *text)
{
	json_t *answer = find_answer(text);
	if (!answer) {
		if (*text)
			log_verbose("the network executable says: %s", one_line(launch->arena, text));
		return;
	}
	size_t i;
	json_t *interface, *interfaces = json_object_get(answer, "interfaces");
	json_array_foreach(interfaces, i, interface)
		take_addresses(launch, interface, &launch->network.addresses, "addresses");
	take_addresses(launch, answer, &launch->network.dns, "dns");
	pass_warnings_on(json_object_get(answer, "warnings"));
	launch->network.owed = json_is_true(json_object_get(answer, "release"));
	json_decref(answer);
}

struct debt {
	const char *path;
	struct strv env;
	int timeout_ms;
	int tries;     // of -release, that failed or died with who made them
	bool doubtful; // the executable was killed before it could say whether it is owed
};

static const char *name_of(const struct debt *debt)
{
	return debt->doubtful ? doubt_name : debt_name;
}

static int note_debt(int state, const struct debt *debt, struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return err_sys(err, "note that the network has to be released");
	fprintf(out, "%s%c%d%c%d%c", debt->path, 0, debt->timeout_ms, 0, debt->tries, 0);
	for (size_t i = 0; i < debt->env.count; i++)
		fprintf(out, "%s%c", debt->env.items[i], 0);
	int result = fclose(out) == 0 ? 0 : err_sys(err, "note that the network has to be released");
	if (result == 0)
		result = file_replace(state, name_of(debt), text, size, 0600, err);
	free(text);
	return result;
}

// The executable has ended: what was doubtful is a debt, or nothing.
static int settle_doubt(struct launch *launch, struct err *err)
{
	if (launch->state < 0 || launch->network.doubtful)
		return 0;
	if (!launch->network.owed)
		return unlinkat(launch->state, doubt_name, 0) < 0 ? err_sys(err, "forget the network's debt") : 0;
	return renameat(launch->state, doubt_name, launch->state, debt_name) < 0 ? err_sys(err, "note the network's debt") : 0;
}

static int judge(struct launch *launch, const struct proc_result *result, const struct proc_run *run, struct err *err)
{
	const char *path = run->path, *pid = run->argv[2];
	if (result->cancelled)
		return err_set(err, EINTR, "'%s -pid %s' was interrupted", path, pid);
	if (result->timed_out)
		return err_set(err, ETIMEDOUT, "'%s -pid %s' didn't end within %d s: %s (--network-timeout gives it more)", path,
			       pid, run->timeout_ms / 1000, said(launch->arena, result));
	if (WIFSIGNALED(result->status))
		return err_set(err, EIO, "'%s -pid %s' was killed by signal %d (%s): %s", path, pid, WTERMSIG(result->status),
			       strsignal(WTERMSIG(result->status)), said(launch->arena, result));
	if (WEXITSTATUS(result->status) != 0)
		return err_set(err, EIO, "'%s -pid %s' failed with status %d: %s", path, pid, WEXITSTATUS(result->status),
			       said(launch->arena, result));
	if (*result->err)
		log_verbose("the network executable says: %s", one_line(launch->arena, result->err));
	read_answer(launch, result->out);
	return 0;
}

int netexec_run(struct launch *launch, struct err *err)
{
	const char *path = launch->spec->network.executable;
	struct strv env = environment(launch);
	const struct debt doubt = { .path = path, .env = env, .timeout_ms = timeout_of(launch), .doubtful = true };
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)launch->pid);
	char *const argv[] = { (char *)path, (char *)"-pid", pid, NULL };
	struct proc_run run = {
		.path = path,
		.argv = argv,
		.env = env.items,
		.timeout_ms = timeout_of(launch),
		.cap = OUTPUT_CAP,
		.cancel_fd = launch->signals,
	};
	struct proc_result result;

	if (launch->state >= 0 && mkdirat(launch->state, "network", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make the network's state folder");
	if (launch->state >= 0 && note_debt(launch->state, &doubt, err) < 0)
		return -1;
	if (proc_run(launch->arena, &run, &result, err) < 0) {
		unlinkat(launch->state, doubt_name, 0);
		return not_started(path, err);
	}
	launch->network.doubtful = result.cancelled || result.timed_out || WIFSIGNALED(result.status);
	if (judge(launch, &result, &run, err) < 0) {
		settle_doubt(launch, NULL);
		return -1;
	}
	return settle_doubt(launch, err);
}

static int call_release(struct arena *arena, const struct debt *debt, struct err *err)
{
	char *const argv[] = { (char *)debt->path, (char *)"-release", NULL };
	bool hurry = debt->doubtful && debt->timeout_ms > DOUBTFUL_MS;
	struct proc_run run = {
		.path = debt->path,
		.argv = argv,
		.env = debt->env.items,
		.timeout_ms = hurry ? DOUBTFUL_MS : debt->timeout_ms,
		.cap = OUTPUT_CAP,
	};
	struct proc_result result;
	if (proc_run(arena, &run, &result, err) < 0)
		return err_wrap(err, "release the network");
	if (!result.timed_out && proc_exit_code(result.status) == 0)
		return 0;
	return err_set(err, EAGAIN, "'%s -release' failed: %s", debt->path, result.timed_out ? "no answer" : said(arena, &result));
}

// Whether it is paid, or given up with a warning: then nothing is owed any more. Else -1, and the debt stays noted with its tries.
static int pay(struct arena *arena, int state, struct debt *debt, struct err *err)
{
	struct err failed;
	int result = call_release(arena, debt, &failed);
	if (result < 0 && debt->doubtful)
		log_verbose("%s", failed.msg);
	else if (result < 0 && state >= 0 && debt->tries < RELEASE_TRIES && note_debt(state, debt, &failed) == 0)
		return err_set(err, failed.code, "%s (the next command tries again, %d of %d)", failed.msg, debt->tries + 1,
			       RELEASE_TRIES);
	else if (result < 0)
		log_warning("%s (given up%s)", failed.msg, debt->tries >= RELEASE_TRIES ? " after the last try" : "");
	if (state >= 0)
		unlinkat(state, name_of(debt), 0);
	return 0;
}

void netexec_release(struct launch *launch)
{
	struct netexec *n = &launch->network;
	struct err err;
	if (!n->owed && !n->doubtful)
		return;
	struct debt debt = {
		.path = launch->spec->network.executable,
		.env = environment(launch),
		.timeout_ms = timeout_of(launch),
		.tries = 1,
		.doubtful = !n->owed,
	};
	if (pay(launch->arena, launch->state, &debt, &err) < 0) {
		log_warning("%s", err.msg);
		launch->unclean = true;
	}
	n->owed = n->doubtful = false;
}

static bool has_line(const char *text, size_t size, const char *line)
{
	for (const char *c = text; c < text + size; c += strlen(c) + 1) {
		if (str_eq(c, line))
			return true;
	}
	return false;
}

// Ends a process if COSO_STATE, in its environment, is that of this container: no other has it. The descriptor comes before the
// look, so that the signal can't reach another process that got the same pid.
static void end_if_ours(const char *pid_text, const char *mark)
{
	own_arena struct arena arena = { 0 };
	uint64_t pid;
	size_t size;
	if (num_u64("pid", pid_text, 2, INT32_MAX, &pid, NULL) < 0)
		return;
	own_fd int pidfd = sys_pidfd_open((pid_t)pid, 0);
	char *environment =
		file_read(&arena, AT_FDCWD, arena_printf(&arena, "/proc/%s/environ", pid_text), FILE_CONFIG, &size, NULL);
	if (pidfd < 0 || !environment || !has_line(environment, size, mark))
		return;
	sys_pidfd_send_signal(pidfd, SIGKILL);
	fd_wait(pidfd, DOUBTFUL_MS);
}

// What an executable started dies neither with it nor with the launcher. Only after a crash during the network stage is it looked for.
static void end_leftovers(const struct strv *env)
{
	const char *mark = NULL;
	DIR *list = opendir("/proc");
	for (size_t i = 0; i < env->count; i++) {
		if (str_starts(env->items[i], "COSO_STATE="))
			mark = env->items[i];
	}
	for (struct dirent *entry; list && mark && (entry = readdir(list));)
		end_if_ours(entry->d_name, mark);
	if (list)
		closedir(list);
}

static bool parse_debt(struct arena *arena, const char *text, size_t size, struct debt *out_debt)
{
	struct strv words = { 0 };
	uint64_t timeout_ms, tries;
	for (const char *word = text; word < text + size; word += strlen(word) + 1)
		strv_push(arena, &words, word);
	if (words.count < 4 || num_u64("time", words.items[1], 1, TIMEOUT_MOST_MS, &timeout_ms, NULL) < 0 ||
	    num_u64("tries", words.items[2], 0, RELEASE_TRIES, &tries, NULL) < 0)
		return false;
	out_debt->path = words.items[0];
	out_debt->timeout_ms = (int)timeout_ms;
	out_debt->tries = (int)tries;
	out_debt->env = (struct strv){ words.items + 3, words.count - 3 };
	return true;
}

static int release_noted(int state, bool doubtful, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct debt debt = { .doubtful = doubtful };
	size_t size;
	char *text = file_read(&arena, state, name_of(&debt), FILE_CONFIG, &size, NULL);
	if (!text)
		return 0;
	if (!parse_debt(&arena, text, size, &debt) || debt.tries >= RELEASE_TRIES) {
		unlinkat(state, name_of(&debt), 0);
		return 0;
	}
	if (doubtful)
		end_leftovers(&debt.env);
	// Before it is called: a try counts even if whoever waits for it loses patience.
	debt.tries++;
	if (note_debt(state, &debt, err) < 0)
		log_verbose("%s", err->msg);
	return pay(&arena, state, &debt, err);
}

int netexec_release_noted(int state, struct err *err)
{
	release_noted(state, true, err); // whose failure means nothing
	return release_noted(state, false, err);
}
