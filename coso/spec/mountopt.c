// SPDX-License-Identifier: GPL-2.0-or-later
// mountopt.c - reads mounts as people write them
#include "coso/spec/mountopt.h"

#include "coso/spec/defaults.h"
#include "shared/log.h"
#include "shared/num.h"
#include "shared/sys.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

// An attribute of a mount. The three of atime are one field: what clears it lets the kernel choose, and what sets it replaces it.
static const struct attribute {
	const char *word;
	bool deep; // with an 'r' before it, it is for what is mounted below, too
	uint64_t set, clear;
	uint64_t dropped; // of what earlier words set
} attributes[] = {
	{ "atime", true, 0, MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME },
	{ "dev", true, 0, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODEV },
	{ "diratime", true, 0, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NODIRATIME },
	{ "exec", true, 0, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOEXEC },
	{ "noatime", true, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME },
	{ "nodev", true, MOUNT_ATTR_NODEV, 0, 0 },
	{ "nodiratime", true, MOUNT_ATTR_NODIRATIME, 0, 0 },
	{ "noexec", true, MOUNT_ATTR_NOEXEC, 0, 0 },
	{ "norelatime", true, 0, 0, 0 }, // relatime is what the kernel does unless told otherwise. mount(8)
	{ "nostrictatime", true, 0, MOUNT_ATTR__ATIME, MOUNT_ATTR_STRICTATIME },
	{ "nosuid", true, MOUNT_ATTR_NOSUID, 0, 0 },
	{ "nosymfollow", true, MOUNT_ATTR_NOSYMFOLLOW, 0, 0 },
	{ "readonly", false, MOUNT_ATTR_RDONLY, 0, 0 },
	{ "relatime", true, 0, MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME },
	{ "ro", true, MOUNT_ATTR_RDONLY, 0, 0 },
	{ "rw", true, 0, MOUNT_ATTR_RDONLY, MOUNT_ATTR_RDONLY },
	{ "strictatime", true, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME },
	{ "suid", true, 0, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSUID },
	{ "symfollow", true, 0, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW },
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

// Of the file system itself (its superblock): passed on to a new one, and without effect on a bind mount, as in mount(8). The words of
// no effect at all are those for which fsconfig(2) has no name: the kernel isn't silent or loud by mount, and file systems count
// changes (iversion) if they can.
static const struct {
	const char *word;
	bool passed;
} superblock[] = {
	{ "async", true },      { "defaults", false }, { "dirsync", true }, { "iversion", false },
	{ "lazytime", true },   { "loud", false },     { "mand", true },    { "noiversion", false },
	{ "nolazytime", true }, { "nomand", true },    { "silent", false }, { "sync", true },
};

static const struct {
	const char *word;
	size_t field; // a bool of struct spec_mount
} switches[] = {
	{ "copy-symlink", offsetof(struct spec_mount, copy_symlink) },
	{ "dest-nofollow", offsetof(struct spec_mount, target_nofollow) },
	{ "remount", offsetof(struct spec_mount, remount) },
	{ "src-nofollow", offsetof(struct spec_mount, source_nofollow) },
	{ "tmpcopyup", offsetof(struct spec_mount, copy_up) },
};

// Words with code of their own.
static const char *const special[] = { "bind", "idmap", "rbind", "ridmap" };

static bool apply_attribute(uint64_t *set, uint64_t *clear, const char *word, bool deep)
{
	for (size_t i = 0; i < LENGTH(attributes); i++) {
		const struct attribute *a = &attributes[i];
		if (!str_eq(word, a->word) || (deep && !a->deep))
			continue;
		*set = (*set & ~a->dropped) | a->set;
		*clear = (*clear & ~a->set) | a->clear;
		return true;
	}
	return false;
}

static bool apply_propagation(struct spec_mount *mount, const char *word)
{
	for (size_t i = 0; i < LENGTH(propagations); i++) {
		if (!str_eq(word, propagations[i].word))
			continue;
		mount->propagation = propagations[i].flags;
		return true;
	}
	return false;
}

static bool apply_switch(struct spec_mount *mount, const char *word)
{
	for (size_t i = 0; i < LENGTH(switches); i++) {
		if (!str_eq(word, switches[i].word))
			continue;
		*(bool *)((char *)mount + switches[i].field) = true;
		return true;
	}
	return false;
}

// True if a word is for the superblock; *out_passed: it is passed on.
static bool is_superblock(const char *word, bool *out_passed)
{
	for (size_t i = 0; i < LENGTH(superblock); i++) {
		if (!str_eq(word, superblock[i].word))
			continue;
		*out_passed = superblock[i].passed;
		return true;
	}
	return false;
}

// Where id `id` of the container is on the host.
static bool host_id(const struct spec_idmaps *maps, uint32_t id, uint32_t *out)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_idmap *m = &maps->items[i];
		if (id < m->container || id - m->container >= m->size)
			continue;
		*out = m->host + (id - m->container);
		return true;
	}
	return false;
}

// FIRST-SECOND-COUNT: ids of the file system from FIRST on are those from SECOND on of the host, or with '@' of the container.
static int idmap_range(const struct spec *spec, const struct spec_idmaps *of, const char *text, struct spec_idmaps *maps,
		       struct err *err)
{
	bool relative = *text == '@';
	struct strv f = str_split(spec->arena, text + relative, '-');
	struct spec_idmap map = { 0 };
	uint64_t size;
	if (f.count != 3)
		return err_set(err, EINVAL, "'%.80s' is no map such as 0-100000-65536", text);
	if (num_id("idmap", f.items[0], &map.container, err) < 0 || num_id("idmap", f.items[1], &map.host, err) < 0 ||
	    num_u64("idmap", f.items[2], 1, UINT32_MAX, &size, err) < 0)
		return -1;
	if (relative && !host_id(of, map.host, &map.host))
		return err_set(err, EINVAL, "'%.80s': the container has no id %.20s", text, f.items[1]);
	if (size > UINT32_MAX - map.container || size > UINT32_MAX - map.host)
		return err_set(err, ERANGE, "'%.80s': the range ends beyond the last id", text);
	map.size = (uint32_t)size;
	maps->items = arena_grow(spec->arena, maps->items, maps->count, sizeof(map));
	maps->items[maps->count++] = map;
	return 0;
}

// uids=RANGE[#RANGE…];gids=RANGE[#RANGE…], as crun(1) has it.
static int idmap_ranges(const struct spec *spec, struct spec_mount *mount, const char *text, struct err *err)
{
	struct spec_idmaps uids = { 0 }, gids = { 0 };
	struct strv halves = str_split(spec->arena, text, ';');
	for (size_t i = 0; i < halves.count; i++) {
		const char *half = halves.items[i];
		bool of_users = str_starts(half, "uids=");
		if (!of_users && !str_starts(half, "gids="))
			return err_set(err, EINVAL, "'%.80s' is neither uids= nor gids=", half);
		struct strv ranges = str_split(spec->arena, half + strlen("uids="), '#');
		for (size_t n = 0; n < ranges.count; n++) {
			if (idmap_range(spec, of_users ? &spec->uid_maps : &spec->gid_maps, ranges.items[n],
					of_users ? &uids : &gids, err) < 0)
				return -1;
		}
	}
	if (!uids.count || !gids.count)
		return err_set(err, EINVAL, "both uids= and gids= are needed");
	mount->uid_maps = uids;
	mount->gid_maps = gids;
	return 0;
}

// idmap, ridmap (what is mounted below, too), or either with '=' and maps.
static bool is_idmap(const char *word)
{
	word += *word == 'r';
	return str_eq(word, "idmap") || str_starts(word, "idmap=");
}

static int apply_idmap(const struct spec *spec, struct spec_mount *mount, const char *word, struct err *err)
{
	const char *maps = strchr(word, '=');
	mount->idmap = *word == 'r' ? SPEC_IDMAP_TREE : SPEC_IDMAP_MOUNT;
	if (maps && idmap_ranges(spec, mount, maps + 1, err) < 0)
		return err_wrap(err, "option '%.80s'", word);
	return 0;
}

int mountopt_apply(const struct spec *spec, struct spec_mount *mount, const char *word, struct err *err)
{
	bool bind = str_eq(mount->type, "bind"), passed = true;
	if (!*word || apply_attribute(&mount->attr_set, &mount->attr_clear, word, false))
		return 0;
	if (word[0] == 'r' && apply_attribute(&mount->deep_set, &mount->deep_clear, word + 1, true)) // rro, rnosuid …
		return 0;
	if (str_eq(word, "tmpcopyup") && !str_eq(mount->type, "tmpfs"))
		return err_set(err, EINVAL, "option 'tmpcopyup' goes with a tmpfs only");
	if (apply_propagation(mount, word) || apply_switch(mount, word))
		return 0;
	if (is_idmap(word))
		return apply_idmap(spec, mount, word, err);
	if (str_eq(word, "bind") || str_eq(word, "rbind")) {
		mount->type = "bind";
		mount->recursive = word[0] == 'r' || (spec->bundle && mount->recursive); // of both the larger; for flags the last
		return 0;
	}
	if (!is_superblock(word, &passed) && bind) { // mount(2) passes it over; a person who types it has slipped
		static const char why[] = "bind mounts cannot have any filesystem-specific options applied";
		if (!spec->bundle)
			return err_set(err, EINVAL, "unknown option '%.80s': %s", word, why);
		log_warning("mount '%s': option '%.80s': %s", mount->destination, word, why);
	}
	if (passed && !bind)
		mount->data = mount->data ? arena_printf(spec->arena, "%s,%s", mount->data, word) : word;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct strv mountopt_names(struct arena *arena)
{
	struct strv names = { 0 };
	for (size_t i = 0; i < LENGTH(attributes); i++) {
		strv_push(arena, &names, attributes[i].word);
		if (attributes[i].deep)
			strv_push(arena, &names, arena_printf(arena, "r%s", attributes[i].word));
	}
	for (size_t i = 0; i < LENGTH(propagations); i++)
		strv_push(arena, &names, propagations[i].word);
	for (size_t i = 0; i < LENGTH(superblock); i++)
		strv_push(arena, &names, superblock[i].word);
	for (size_t i = 0; i < LENGTH(switches); i++)
		strv_push(arena, &names, switches[i].word);
	for (size_t i = 0; i < LENGTH(special); i++)
		strv_push(arena, &names, special[i]);
	qsort(names.items, names.count, sizeof(*names.items), by_name);
	return names;
}

static int apply_all(const struct spec *spec, struct spec_mount *mount, const char *options, struct err *err)
{
	struct strv words = str_split(spec->arena, options, ',');
	for (size_t i = 0; i < words.count; i++) {
		if (mountopt_apply(spec, mount, words.items[i], err) < 0)
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
	if (f.count == 3 && apply_all(spec, &mount, without_label(spec->arena, f.items[2]), err) < 0)
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
			return mountopt_apply(spec, mount, arena_printf(spec->arena, "size=%s", value), err);
		else if (str_eq(key, "tmpfs-mode"))
			return mountopt_apply(spec, mount, arena_printf(spec->arena, "mode=%s", value), err);
		else if (str_eq(key, "readonly") || str_eq(key, "ro"))
			return mountopt_apply(spec, mount, str_eq(value, "false") ? "rw" : "ro", err);
		else
			return mountopt_apply(spec, mount, word, err);
		return 0;
	}
	return mountopt_apply(spec, mount, word, err);
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
	if (*colon && apply_all(spec, &mount, colon + 1, err) < 0)
		return err_wrap(err, "--tmpfs '%.200s'", text);
	return add(spec, &mount, "--tmpfs", err);
}
