// SPDX-License-Identifier: GPL-2.0-or-later
// netexec.c - runs the network executable and reads what it answers
#include "coso/launch/netexec.h"

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
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000, OUTPUT_CAP = 16 << 10 };

static const char debt_name[] = "network-release"; // in the state folder: the executable, then its environment, a line each

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

// One line of what a helper said; stderr first, since that is where reasons belong.
static const char *said(struct arena *arena, const struct proc_result *result)
{
	str_clean(result->err);
	str_clean(result->out);
	const char *text = *result->err ? result->err : *result->out && *result->out != '{' ? result->out : "it said nothing";
	char *line = arena_printf(arena, "%.600s", text);
	for (char *c = line; (c = strchr(c, '\n'));)
		*c = ';';
	return line;
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

static void read_answer(struct launch *launch, const char *text)
{
	json_error_t error;
	json_t *answer = json_loads(text, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(answer)) {
		if (*text)
			log_verbose("the network executable says: %s", text);
		json_decref(answer);
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
	char *text = arena_printf(launch->arena, "%s\n", launch->spec->network.executable);
	for (size_t i = 0; i < env->count; i++)
		text = arena_printf(launch->arena, "%s%s\n", text, env->items[i]);
	return file_replace(launch->state, debt_name, text, strlen(text), 0600, err);
}

int netexec_run(struct launch *launch, struct err *err)
{
	const char *path = launch->spec->network.executable;
	struct strv env = environment(launch);
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)launch->pid);
	char *const argv[] = { (char *)path, (char *)"-pid", pid, NULL };
	struct proc_run run = { .path = path, .argv = argv, .env = env.items, .timeout_ms = TIMEOUT_MS, .cap = OUTPUT_CAP };
	struct proc_result result;

	if (launch->state >= 0 && mkdirat(launch->state, "network", 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make the network's state folder");
	if (proc_run(launch->arena, &run, &result, err) < 0) {
		if (err->code == ENOENT)
			err_hint(err, "'make install' puts cosonet there; --network none goes without");
		return -1;
	}
	if (result.timed_out)
		return err_set(err, ETIMEDOUT, "'%s -pid %s' gave no answer in %d s: %s", path, pid, TIMEOUT_MS / 1000,
			       said(launch->arena, &result));
	if (WIFSIGNALED(result.status))
		return err_set(err, EIO, "'%s -pid %s' was killed by signal %d (%s): %s", path, pid, WTERMSIG(result.status),
			       strsignal(WTERMSIG(result.status)), said(launch->arena, &result));
	if (WEXITSTATUS(result.status) != 0)
		return err_set(err, EIO, "'%s -pid %s' failed with status %d: %s", path, pid, WEXITSTATUS(result.status),
			       said(launch->arena, &result));
	if (*result.err)
		log_verbose("%s", said(launch->arena, &result));
	read_answer(launch, result.out);
	return launch->network.owed && launch->state >= 0 ? note_debt(launch, &env, err) : 0;
}

static void call_release(struct arena *arena, const char *path, char *const *env)
{
	char *const argv[] = { (char *)path, (char *)"-release", NULL };
	struct proc_run run = { .path = path, .argv = argv, .env = env, .timeout_ms = TIMEOUT_MS, .cap = OUTPUT_CAP };
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
	call_release(launch->arena, launch->spec->network.executable, env.items);
	launch->network.owed = false;
	if (launch->state >= 0)
		unlinkat(launch->state, debt_name, 0);
}

void netexec_release_noted(int state)
{
	own_arena struct arena arena = { 0 };
	char *text = file_read(&arena, state, debt_name, FILE_SMALL, NULL, NULL);
	if (!text)
		return;
	struct strv lines = str_split(&arena, text, '\n'), env = { 0 };
	for (size_t i = 1; i < lines.count; i++) {
		if (*lines.items[i])
			strv_push(&arena, &env, lines.items[i]);
	}
	call_release(&arena, lines.items[0], env.items);
	unlinkat(state, debt_name, 0);
}
