// SPDX-License-Identifier: GPL-2.0-or-later
// hooks.c - runs hooks
#include "coso/launch/hooks.h"

#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_CAP = 4 << 10 };

static const char *const kinds[SPEC_HOOK_KINDS] = {
	[SPEC_HOOK_PRESTART] = "prestart",
	[SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	[SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	[SPEC_HOOK_START_CONTAINER] = "startContainer",
	[SPEC_HOOK_POSTSTART] = "poststart",
	[SPEC_HOOK_POSTSTOP] = "poststop",
};

char *hooks_state(struct arena *arena, const struct spec *spec, const char *status, pid_t pid)
{
	json_t *annotations = json_object();
	for (size_t i = 0; i < spec->annotation_count; i++)
		json_object_set_new(annotations, spec->annotations[i].key, json_string(spec->annotations[i].value));
	json_t *state =
		json_pack("{s:s*, s:s, s:s, s:o*, s:s*, s:o}", "ociVersion", spec->oci_version, "id", spec->id, "status", status,
			  "pid", pid ? json_integer(pid) : NULL, "bundle", spec->bundle, "annotations", annotations);
	char *text = json_dumps(state, JSON_COMPACT), *copy = arena_strdup(arena, text ? text : "{}");
	free(text);
	json_decref(state);
	return copy;
}

// One line of what the hook said, stderr first.
static const char *said(struct proc_result *result)
{
	char *text = *result->err ? result->err : result->out;
	str_clean(text);
	return *text ? text : "it said nothing";
}

static int judge(const char *kind, const struct spec_hook *hook, struct proc_result *result, struct err *err)
{
	if (result->timed_out)
		return err_set(err, ETIMEDOUT, "'%s': hook ran past specified timeout of %d.0s", hook->path, hook->timeout_s);
	if (WIFSIGNALED(result->status))
		return err_set(err, EIO, "'%s' was killed by signal %d (%s): %.400s", hook->path, WTERMSIG(result->status),
			       strsignal(WTERMSIG(result->status)), said(result));
	if (WEXITSTATUS(result->status) != 0)
		return err_set(err, EIO, "'%s': %s hook failed with exit code %d: %.400s", hook->path, kind,
			       WEXITSTATUS(result->status), said(result));
	return 0;
}

// Engines may remove the bundle while the container lives: its last hooks run all the same.
static const char *folder_of(const struct spec *spec)
{
	return access(spec->bundle, X_OK) == 0 ? spec->bundle : NULL;
}

struct surroundings {
	const char *state, *folder;
	char *const *env;
	int out, err; // of the files that get what hooks say; -1: none
};

// Appended to, as other hooks may write to the same file.
static int open_output(const struct spec *spec, const char *key, int *out_fd, struct err *err)
{
	for (size_t i = 0; i < spec->annotation_count; i++) {
		const char *path = spec->annotations[i].value;
		if (!str_eq(spec->annotations[i].key, key))
			continue;
		if (*path != '/')
			return err_set(err, EINVAL, "annotation %s: '%s' is not an absolute path", key, path);
		*out_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
		return *out_fd < 0 ? err_sys(err, "annotation %s: open '%s'", key, path) : 0;
	}
	return 0;
}

static void look_away(struct surroundings *around)
{
	fd_close(&around->out);
	fd_close(&around->err);
}

// Those of hooks outside of the container.
static int look_around(const struct spec *spec, const char *state, struct surroundings *out_around, struct err *err)
{
	struct surroundings around = { .state = state, .folder = folder_of(spec), .env = environ, .out = -1, .err = -1 };
	if (open_output(spec, "run.oci.hooks.stdout", &around.out, err) < 0 ||
	    open_output(spec, "run.oci.hooks.stderr", &around.err, err) < 0) {
		look_away(&around);
		return -1;
	}
	*out_around = around;
	return 0;
}

static int run_one(struct arena *arena, const char *kind, const struct spec_hook *hook, const struct surroundings *around,
		   struct err *err)
{
	char *const bare[] = { (char *)hook->path, NULL };
	struct proc_result result;
	struct proc_run run = {
		.path = hook->path,
		.argv = hook->args.count ? hook->args.items : bare,
		.env = hook->env_given ? hook->env.items : around->env,
		.timeout_ms = hook->timeout_s * 1000,
		.cap = OUTPUT_CAP,
		.input = around->state,
		.folder = around->folder,
		.out = around->out,
		.err = around->err,
	};
	if (proc_run(arena, &run, &result, err) < 0)
		return -1;
	return judge(kind, hook, &result, err);
}

static int run_kind(struct arena *arena, const struct spec *spec, enum spec_hook_kind kind, const struct surroundings *around,
		    struct err *err)
{
	for (size_t i = 0; i < spec->hooks[kind].count; i++) {
		if (run_one(arena, kinds[kind], &spec->hooks[kind].items[i], around, err) < 0)
			return err_wrap(err, "error running %s hook #%zu", kinds[kind], i);
	}
	return 0;
}

int hooks_run(struct arena *arena, const struct spec *spec, enum spec_hook_kind kind, const char *state, struct err *err)
{
	struct surroundings around;
	if (!spec->hooks[kind].count)
		return 0;
	if (look_around(spec, state, &around, err) < 0)
		return -1;
	int result = run_kind(arena, spec, kind, &around, err);
	look_away(&around);
	return result;
}

void hooks_run_all(struct arena *arena, const struct spec *spec, enum spec_hook_kind kind, const char *state)
{
	struct surroundings around;
	struct err err;
	if (!spec->hooks[kind].count)
		return;
	if (look_around(spec, state, &around, &err) < 0) {
		log_warning("%s", err.msg);
		around = (struct surroundings){ .state = state, .folder = folder_of(spec), .env = environ, .out = -1, .err = -1 };
	}
	for (size_t i = 0; i < spec->hooks[kind].count; i++) {
		if (run_one(arena, kinds[kind], &spec->hooks[kind].items[i], &around, &err) < 0)
			log_warning("error running %s hook #%zu: %s", kinds[kind], i, err.msg);
	}
	look_away(&around);
}

int hooks_run_inside(struct launch *launch, enum spec_hook_kind kind, struct err *err)
{
	const struct spec *spec = launch->spec;
	bool start = kind == SPEC_HOOK_START_CONTAINER;
	const struct surroundings around = {
		.state = hooks_state(launch->arena, spec, start ? "created" : "creating", getpid()),
		.folder = start ? NULL : folder_of(spec),
		.env = start ? spec->process.env.items : environ,
		.out = -1,
		.err = -1,
	};
	return run_kind(launch->arena, spec, kind, &around, err);
}
