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

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, TIMEOUT_MOST_MS = 3600000, OUTPUT_CAP = 16 << 10 };

// In the state folder: the executable, its time in milliseconds, then its environment, a NUL behind each.
static const char debt_name[] = "network-release";

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
	launch->network.owed = json_is_true(json_object_get(answer, "release"));
	json_decref(answer);
}

static int note_debt(struct launch *launch, const struct strv *env, struct err *err)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return err_sys(err, "note that the network has to be released");
	fprintf(out, "%s%c%d%c", launch->spec->network.executable, 0, timeout_of(launch), 0);
	for (size_t i = 0; i < env->count; i++)
		fprintf(out, "%s%c", env->items[i], 0);
	int result = fclose(out) == 0 ? 0 : err_sys(err, "note that the network has to be released");
	if (result == 0)
		result = file_replace(launch->state, debt_name, text, size, 0600, err);
	free(text);
	return result;
}

int netexec_run(struct launch *launch, struct err *err)
{
	const char *path = launch->spec->network.executable;
	struct strv env = environment(launch);
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)launch->pid);
	char *const argv[] = { (char *)path, (char *)"-pid", pid, NULL };
	int timeout_ms = timeout_of(launch);
	struct proc_run run = { .path = path, .argv = argv, .env = env.items, .timeout_ms = timeout_ms, .cap = OUTPUT_CAP };
	struct proc_result result;
	run.cancel_fd = launch->signals;

	if (launch->state >= 0 && mkdirat(launch->state, "network", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make the network's state folder");
	if (proc_run(launch->arena, &run, &result, err) < 0)
		return not_started(path, err);
	if (result.cancelled)
		return err_set(err, EINTR, "'%s -pid %s' was interrupted", path, pid);
	if (result.timed_out)
		return err_set(err, ETIMEDOUT, "'%s -pid %s' didn't end within %d s: %s (--network-timeout gives it more)", path,
			       pid, timeout_ms / 1000, said(launch->arena, &result));
	if (WIFSIGNALED(result.status))
		return err_set(err, EIO, "'%s -pid %s' was killed by signal %d (%s): %s", path, pid, WTERMSIG(result.status),
			       strsignal(WTERMSIG(result.status)), said(launch->arena, &result));
	if (WEXITSTATUS(result.status) != 0)
		return err_set(err, EIO, "'%s -pid %s' failed with status %d: %s", path, pid, WEXITSTATUS(result.status),
			       said(launch->arena, &result));
	if (*result.err)
		log_verbose("the network executable says: %s", one_line(launch->arena, result.err));
	read_answer(launch, result.out);
	return launch->network.owed && launch->state >= 0 ? note_debt(launch, &env, err) : 0;
}

static void call_release(struct arena *arena, const char *path, char *const *env, int timeout_ms)
{
	char *const argv[] = { (char *)path, (char *)"-release", NULL };
	struct proc_run run = { .path = path, .argv = argv, .env = env, .timeout_ms = timeout_ms, .cap = OUTPUT_CAP };
	struct proc_result result;
	struct err err;
	if (proc_run(arena, &run, &result, &err) < 0)
		log_warning("release the network: %s", err.msg);
	else if (result.timed_out || proc_exit_code(result.status) != 0)
		log_warning("'%s -release' failed: %s", path, result.timed_out ? "no answer" : said(arena, &result));
}

void netexec_release(struct launch *launch)
{
	if (!launch->network.owed)
		return;
	struct strv env = environment(launch);
	call_release(launch->arena, launch->spec->network.executable, env.items, timeout_of(launch));
	launch->network.owed = false;
	if (launch->state >= 0)
		unlinkat(launch->state, debt_name, 0);
}

void netexec_release_noted(int state)
{
	own_arena struct arena arena = { 0 };
	struct strv words = { 0 };
	size_t size;
	uint64_t timeout_ms;
	char *text = file_read(&arena, state, debt_name, FILE_CONFIG, &size, NULL);
	if (!text)
		return;
	for (const char *word = text; word < text + size; word += strlen(word) + 1)
		strv_push(&arena, &words, word);
	if (words.count > 2 && num_u64("time", words.items[1], 1, TIMEOUT_MOST_MS, &timeout_ms, NULL) == 0)
		call_release(&arena, words.items[0], words.items + 2, (int)timeout_ms);
	unlinkat(state, debt_name, 0);
}
