// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci.c - the spec that a config.json means
#include "coso/spec/from_oci.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MOST = 64 }; // bytes of a host name: __NEW_UTS_LEN

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

const char *const oci_hook_kinds[SPEC_HOOK_KINDS + 1] = {
	[SPEC_HOOK_PRESTART] = "prestart",
	[SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	[SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	[SPEC_HOOK_START_CONTAINER] = "startContainer",
	[SPEC_HOOK_POSTSTART] = "poststart",
	[SPEC_HOOK_POSTSTOP] = "poststop",
};

const char *oci_absolute(const struct spec *spec, const char *path)
{
	return *path == '/' ? path : arena_printf(spec->arena, "%s/%s", spec->bundle, path);
}

// A number of a version: digits, and no zero before others. Moves *text behind it.
static bool version_number(const char **text)
{
	size_t length = strspn(*text, DIGITS);
	bool good = length == 1 || (length && **text != '0');
	*text += length;
	return good;
}

// Identifiers with dots between them, none empty; those of a pre-release that are numbers have no zero before others.
static bool version_words(const char **text, bool numbers)
{
	do {
		size_t length = strspn(*text, DIGITS LETTERS "-");
		bool number = strspn(*text, DIGITS) == length;
		if (!length || (numbers && number && length > 1 && **text == '0'))
			return false;
		*text += length;
	} while (**text == '.' && *(*text)++);
	return true;
}

// semver.org 2.0.0
static bool is_version(const char *text)
{
	for (int i = 0; i < 3; i++) {
		if ((i && *text++ != '.') || !version_number(&text))
			return false;
	}
	if (*text == '-' && (text++, !version_words(&text, true)))
		return false;
	if (*text == '+' && (text++, !version_words(&text, false)))
		return false;
	return !*text;
}

static int version(struct spec *spec, const struct oci_node *config, struct err *err)
{
	if (oci_require(config, "ociVersion", err) < 0 ||
	    oci_string(spec->arena, config, "ociVersion", &spec->oci_version, err) < 0)
		return -1;
	if (!spec->oci_version || !is_version(spec->oci_version))
		return oci_bad_member(config, "ociVersion", "is no version such as 1.3.0 (semver.org)", err);
	if (!str_starts(spec->oci_version, "1."))
		return oci_bad_member(config, "ociVersion", "is not supported: COSO knows 1.x", err);
	return 0;
}

static int root(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node r;
	const char *path = NULL;
	if (oci_require(config, "root", err) < 0 || oci_object(config, "root", &r, err) < 0 || oci_require(&r, "path", err) < 0 ||
	    oci_string(spec->arena, &r, "path", &path, err) < 0 || oci_bool(&r, "readonly", &spec->root.readonly, err) < 0)
		return -1;
	if (!path)
		return oci_bad_member(&r, "path", "is empty", err);
	spec->root.path = oci_absolute(spec, path);
	return 0;
}

// They would be the host's without a UTS namespace.
static int name(struct spec *spec, const struct oci_node *config, const char *key, const char **out, struct err *err)
{
	if (oci_string(spec->arena, config, key, out, err) < 0)
		return -1;
	if (*out && strlen(*out) > NAME_MOST)
		return oci_bad_member(config, key, "is longer than 64 bytes", err);
	return *out && !oci_has(spec, CLONE_NEWUTS) ? oci_bad_member(config, key, "needs a UTS namespace", err) : 0;
}

static int names(struct spec *spec, const struct oci_node *config, struct err *err)
{
	const char *domain = NULL;
	if (name(spec, config, "hostname", &spec->hostname, err) < 0 || name(spec, config, "domainname", &domain, err) < 0)
		return -1;
	if (domain && spec->domainname && !str_eq(domain, spec->domainname))
		return oci_bad_member(config, "domainname", "and the sysctl kernel.domainname differ", err);
	spec->domainname = domain ? domain : spec->domainname;
	return 0;
}

static int annotations(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node map;
	const char *key;
	json_t *value;
	if (oci_object(config, "annotations", &map, err) < 0)
		return -1;
	json_object_foreach((json_t *)map.value, key, value) {
		const struct oci_node entry = { .value = value, .up = &map, .key = key };
		const char *text;
		if (oci_text(&entry, &text, err) < 0)
			return -1;
		if (!*key)
			return oci_bad(&entry, "has an empty key", err);
		spec->annotations = arena_grow(spec->arena, spec->annotations, spec->annotation_count, sizeof(*spec->annotations));
		spec->annotations[spec->annotation_count++] = (struct spec_annotation){
			arena_strdup(spec->arena, key),
			arena_strdup(spec->arena, text),
		};
		if (str_eq(key, "run.oci.keep_original_groups"))
			spec->process.keep_groups = !str_eq(text, "0");
		else if (str_eq(key, "run.oci.seccomp_fail_unknown_syscall"))
			spec->process.seccomp_strict = !str_eq(text, "0");
	}
	return 0;
}

static int one_hook(struct arena *arena, const struct oci_node *entry, struct spec_hook *out, struct err *err)
{
	struct spec_hook hook = { 0 };
	int64_t timeout = 0;
	if (oci_require(entry, "path", err) < 0 || oci_string(arena, entry, "path", &hook.path, err) < 0 ||
	    oci_strings(arena, entry, "args", &hook.args, err) < 0 || oci_strings(arena, entry, "env", &hook.env, err) < 0 ||
	    oci_i64(entry, "timeout", 1, INT_MAX / 1000, &timeout, err) < 0) // in ms it is an int, too
		return -1;
	if (!hook.path || *hook.path != '/')
		return oci_bad_member(entry, "path", "is not an absolute path", err);
	hook.env_given = oci_member(entry, "env").value;
	hook.timeout_s = (int)timeout;
	*out = hook;
	return 0;
}

int oci_hooks(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node hooks, array, entry;
	if (oci_object(config, "hooks", &hooks, err) < 0)
		return -1;
	for (size_t kind = 0; kind < SPEC_HOOK_KINDS; kind++) {
		struct spec_hooks *of = &spec->hooks[kind];
		if (oci_array(&hooks, oci_hook_kinds[kind], &array, err) < 0)
			return -1;
		for (size_t i = 0; i < oci_count(&array); i++) {
			struct spec_hook hook;
			if (oci_entry(&array, i, &entry, err) < 0 || one_hook(spec->arena, &entry, &hook, err) < 0)
				return -1;
			of->items = arena_grow(spec->arena, of->items, of->count, sizeof(hook));
			of->items[of->count++] = hook;
		}
	}
	return 0;
}

static int process(struct spec *spec, const struct oci_node *config, struct err *err)
{
	struct oci_node p;
	if (oci_object(config, "process", &p, err) < 0)
		return -1;
	spec->process.interactive = true;
	return p.value ? oci_process(spec->arena, spec, &p, &spec->process, &spec->home_slot, err) : 0;
}

int oci_to_spec(struct arena *arena, const json_t *config, const char *bundle, const char *id, struct spec *out_spec,
		struct err *err)
{
	const struct oci_node node = { .value = config };
	struct spec spec = { .arena = arena, .id = id, .name = id, .bundle = bundle, .detach = true, .cgroup = true };
	if (!json_is_object(config))
		return oci_bad(&node, "is not an object", err);
	if (version(&spec, &node, err) < 0 || oci_linux(&spec, &node, err) < 0 || root(&spec, &node, err) < 0 ||
	    names(&spec, &node, err) < 0 || oci_mounts(&spec, &node, err) < 0 || annotations(&spec, &node, err) < 0 ||
	    process(&spec, &node, err) < 0 || oci_hooks(&spec, &node, err) < 0)
		return -1;
	*out_spec = spec;
	return 0;
}
