// SPDX-License-Identifier: GPL-2.0-or-later
// mountopt.c - reads mounts as people write them
#include "coso/spec/mountopt.h"

#include "coso/spec/defaults.h"
#include "shared/log.h"
#include "shared/sys.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	uint64_t set, clear;
} attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "readonly", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME, 0 },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, 0 },
	{ "relatime", 0, MOUNT_ATTR__ATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "defaults", 0, 0 },
};

static const struct {
	const char *word;
	unsigned long flags;
} propagations[] = {
	{ "private", MS_PRIVATE },       { "rprivate", MS_PRIVATE | MS_REC },
	{ "slave", MS_SLAVE },           { "rslave", MS_SLAVE | MS_REC },
	{ "shared", MS_SHARED },         { "rshared", MS_SHARED | MS_REC },
	{ "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};

static bool apply_attribute(uint64_t *set, uint64_t *clear, const char *word)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (!str_eq(word, attributes[i].word))
			continue;
		*set = (*set & ~attributes[i].clear) | attributes[i].set;
		*clear = (*clear & ~attributes[i].set) | attributes[i].clear;
		return true;
	}
	return false;
}

int mountopt_apply(struct arena *arena, struct spec_mount *mount, const char *word, struct err *err)
{
	if (!*word)
		return 0;
	if (apply_attribute(&mount->attr_set, &mount->attr_clear, word))
		return 0;
	if (word[0] == 'r' && apply_attribute(&mount->deep_set, &mount->deep_clear, word + 1)) // rro, rnosuid …
		return 0;
	for (size_t i = 0; i < sizeof(propagations) / sizeof(propagations[0]); i++) {
		if (str_eq(word, propagations[i].word)) {
			mount->propagation = propagations[i].flags;
			return 0;
		}
	}
	if (str_eq(word, "bind") || str_eq(word, "rbind")) {
		mount->type = "bind";
		mount->recursive = word[0] == 'r';
		return 0;
	}
	if (str_eq(mount->type, "bind"))
		return err_set(err, EINVAL, "unknown option '%.80s' of a bind mount", word);
	mount->data = mount->data ? arena_printf(arena, "%s,%s", mount->data, word) : word;
	return 0;
}

static int apply_all(struct arena *arena, struct spec_mount *mount, const char *options, struct err *err)
{
	struct strv words = str_split(arena, options, ',');
	for (size_t i = 0; i < words.count; i++) {
		if (mountopt_apply(arena, mount, words.items[i], err) < 0)
			return -1;
	}
	return 0;
}

// File systems that show and set the kernel's own state get what the standard ones have, wherever they are mounted. A read-only
// volume is so with all that is mounted below it.
static void guard(struct spec *spec, struct spec_mount *mount)
{
	bool proc = str_eq(mount->type, "proc"), sysfs = str_eq(mount->type, "sysfs");
	bool cgroup = str_eq(mount->type, "cgroup") || str_eq(mount->type, "cgroup2");
	if (proc || sysfs || cgroup)
		mount->attr_set |= MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | (proc ? 0 : MOUNT_ATTR_RDONLY);
	if (proc || sysfs)
		defaults_masks_below(spec, proc ? "/proc" : "/sys", mount->destination);
	if (str_eq(mount->type, "bind") && mount->recursive && (mount->attr_set & MOUNT_ATTR_RDONLY)) {
		mount->deep_set |= mount->attr_set;
		mount->deep_clear |= mount->attr_clear;
	}
}

static int add(struct spec *spec, struct spec_mount *mount, const char *what, struct err *err)
{
	if (!mount->destination || mount->destination[0] != '/')
		return err_set(err, EINVAL, "%s: the destination '%.200s' isn't an absolute path", what,
			       mount->destination ? mount->destination : "");
	if (!mount->destination[strspn(mount->destination, "/.")])
		return err_set(err, EINVAL, "%s: the destination '%.200s' is the root itself (--rootfs sets that)", what,
			       mount->destination);
	if (str_eq(mount->type, "bind")) {
		if (!mount->source || !*mount->source)
			return err_set(err, EINVAL, "%s: a bind mount needs a source", what);
		char *real = realpath(mount->source, NULL);
		if (!real)
			return err_sys(err, "%s: source '%.200s'", what, mount->source);
		mount->source = arena_strdup(spec->arena, real);
		free(real);
	}
	guard(spec, mount);
	defaults_add_mount(spec, mount);
	return 0;
}

// Docker's options for SELinux. COSO labels nothing, so either says what is so already.
static const char *without_label(struct arena *arena, const char *options)
{
	struct strv words = str_split(arena, options, ',');
	const char *rest = "";
	for (size_t i = 0; i < words.count; i++) {
		if (str_eq(words.items[i], "z") || str_eq(words.items[i], "Z"))
			log_verbose("--volume: option '%s' is not needed, as COSO sets no SELinux labels", words.items[i]);
		else
			rest = arena_printf(arena, "%s%s%s", rest, *rest ? "," : "", words.items[i]);
	}
	return rest;
}

int mountopt_volume(struct spec *spec, const char *text, struct err *err)
{
	struct strv f = str_split(spec->arena, text, ':');
	if (f.count < 2 || f.count > 3 || !*f.items[0])
		return err_set(err, EINVAL, "--volume '%.200s': not SOURCE:DESTINATION[:OPTIONS]", text);
	struct spec_mount mount = { .type = "bind", .source = f.items[0], .destination = f.items[1], .recursive = true };
	if (f.count == 3 && apply_all(spec->arena, &mount, without_label(spec->arena, f.items[2]), err) < 0)
		return err_wrap(err, "--volume '%.200s'", text);
	return add(spec, &mount, "--volume", err);
}

// One key=value of --mount, or an option word.
static int mount_word(struct spec *spec, struct spec_mount *mount, char *word, struct err *err)
{
	char *value = strchr(word, '=');
	if (value) {
		size_t length = (size_t)(value - word);
		char *key = arena_strndup(spec->arena, word, length);
		value++;
		if (str_eq(key, "type"))
			mount->type = value;
		else if (str_eq(key, "src") || str_eq(key, "source"))
			mount->source = value;
		else if (str_eq(key, "dst") || str_eq(key, "destination") || str_eq(key, "target"))
			mount->destination = value;
		else if (str_eq(key, "tmpfs-size"))
			return mountopt_apply(spec->arena, mount, arena_printf(spec->arena, "size=%s", value), err);
		else if (str_eq(key, "tmpfs-mode"))
			return mountopt_apply(spec->arena, mount, arena_printf(spec->arena, "mode=%s", value), err);
		else if (str_eq(key, "readonly") || str_eq(key, "ro"))
			return mountopt_apply(spec->arena, mount, str_eq(value, "false") ? "rw" : "ro", err);
		else
			return mountopt_apply(spec->arena, mount, word, err);
		return 0;
	}
	return mountopt_apply(spec->arena, mount, word, err);
}

int mountopt_mount(struct spec *spec, const char *text, struct err *err)
{
	struct spec_mount mount = { 0 };
	struct strv words = str_split(spec->arena, text, ',');
	// The type first, wherever it stands: option words mean different things for a bind mount.
	for (size_t i = 0; i < words.count; i++) {
		if (str_starts(words.items[i], "type="))
			mount.type = words.items[i] + strlen("type=");
	}
	if (!mount.type || !*mount.type)
		return err_set(err, EINVAL, "--mount '%.200s': type= is missing (bind, tmpfs, proc, overlay, …)", text);
	mount.recursive = str_eq(mount.type, "bind");
	for (size_t i = 0; i < words.count; i++) {
		if (mount_word(spec, &mount, words.items[i], err) < 0)
			return err_wrap(err, "--mount '%.200s'", text);
	}
	return add(spec, &mount, "--mount", err);
}

int mountopt_tmpfs(struct spec *spec, const char *text, struct err *err)
{
	const char *colon = strchrnul(text, ':');
	struct spec_mount mount = {
		.type = "tmpfs",
		.destination = arena_strndup(spec->arena, text, (size_t)(colon - text)),
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	if (*colon && apply_all(spec->arena, &mount, colon + 1, err) < 0)
		return err_wrap(err, "--tmpfs '%.200s'", text);
	return add(spec, &mount, "--tmpfs", err);
}
