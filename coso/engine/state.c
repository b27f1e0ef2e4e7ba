// SPDX-License-Identifier: GPL-2.0-or-later
// state.c - reads and writes state.json
#include "coso/engine/state.h"

#include "shared/file.h"
#include "shared/proc.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

static const char name[] = "state.json";

// Paths and arguments are bytes, JSON is UTF-8. This is for people to read: what isn't UTF-8 loses all but its ASCII.
static json_t *text_json(const char *text)
{
	if (!text)
		return NULL;
	json_t *json = json_string(text);
	if (json)
		return json;
	char *copy = strdup(text);
	for (char *c = copy; copy && *c; c++)
		*c = (unsigned char)*c < 128 ? *c : '?';
	json = copy ? json_string(copy) : NULL;
	free(copy);
	return json;
}

int state_write(int folder, const struct state *s, struct err *err)
{
	json_t *json = json_pack("{s:i, s:s, s:s, s:o*, s:o*, s:o*, s:s*, s:i, s:I, s:i, s:I, s:b, s:b, s:b, s:b, s:i}", "version",
				 VERSION, "id", s->id, "boot", proc_boot_id(), "rootfs", text_json(s->rootfs), "command",
				 text_json(s->command), "network", text_json(s->network), "created", s->created, "pid", (int)s->pid,
				 "pidStart", (json_int_t)s->pid_start, "owner", (int)s->owner, "ownerStart",
				 (json_int_t)s->owner_start, "detached", (int)s->detached, "remove", (int)s->remove, "launching",
				 (int)s->launching, "ended", (int)s->ended, "exitCode", s->exit_code);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	json_decref(json);
	if (!text)
		return err_set(err, ENOMEM, "write the state of '%s': out of memory", s->id);
	int result = file_replace(folder, name, text, strlen(text), 0600, err);
	free(text);
	return result;
}

static const char *text_of(struct arena *arena, json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));
	return text ? arena_strdup(arena, text) : NULL;
}

static int64_t number_of(json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

int state_read(struct arena *arena, int folder, struct state *out, struct err *err)
{
	size_t size;
	char *text = file_read(arena, folder, name, FILE_SMALL, &size, err);
	if (!text)
		return -1;
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!json || number_of(json, "version") != VERSION) {
		json_decref(json);
		return err_set(err, EINVAL, "state.json: %s", json ? "written by another version of coso" : error.text);
	}
	*out = (struct state){
		.id = text_of(arena, json, "id"),
		.rootfs = text_of(arena, json, "rootfs"),
		.command = text_of(arena, json, "command"),
		.network = text_of(arena, json, "network"),
		.created = text_of(arena, json, "created"),
		.pid = (pid_t)number_of(json, "pid"),
		.pid_start = (uint64_t)number_of(json, "pidStart"),
		.owner = (pid_t)number_of(json, "owner"),
		.owner_start = (uint64_t)number_of(json, "ownerStart"),
		.detached = json_is_true(json_object_get(json, "detached")),
		.remove = json_is_true(json_object_get(json, "remove")),
		.launching = json_is_true(json_object_get(json, "launching")),
		.ended = json_is_true(json_object_get(json, "ended")),
		.exit_code = (int)number_of(json, "exitCode"),
	};
	if (proc_is_other_boot(json_string_value(json_object_get(json, "boot")))) // the pids are others' by now
		out->pid = out->owner = 0;
	json_decref(json);
	return out->id ? 0 : err_set(err, EINVAL, "state.json: no id");
}

int state_pidfd(const struct state *state)
{
	return proc_open(state->pid, state->pid_start);
}

bool state_is_running(const struct state *state)
{
	return proc_lives(state->pid, state->pid_start);
}
