// SPDX-License-Identifier: GPL-2.0-or-later
// subid.c - subordinate ids
#include "coso/spec/subid.h"

#include "coso/spec/caller.h"
#include "shared/file.h"
#include "shared/num.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void add(struct arena *arena, struct spec_idmaps *maps, struct spec_idmap map)
{
	maps->items = arena_grow(arena, maps->items, maps->count, sizeof(*maps->items));
	maps->items[maps->count++] = map;
}

// The three numbers of a line of uid_map, padded with spaces.
static bool parse_line(struct arena *arena, const char *line, uint64_t numbers[3])
{
	struct strv words = str_split(arena, line, ' ');
	size_t count = 0;
	for (size_t i = 0; i < words.count; i++) {
		if (!*words.items[i])
			continue;
		if (count == 3 || num_u64("id map", words.items[i], 0, UINT32_MAX, &numbers[count++], NULL) < 0)
			return false;
	}
	return count == 3 && numbers[2];
}

struct spec_idmaps subid_read_maps(struct arena *arena, const char *path)
{
	struct spec_idmaps maps = { 0 };
	const char *text = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, NULL);
	struct strv lines = text ? str_split(arena, text, '\n') : (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) {
		uint64_t n[3];
		if (parse_line(arena, lines.items[i], n))
			add(arena, &maps, (struct spec_idmap){ (uint32_t)n[0], (uint32_t)n[1], (uint32_t)n[2] });
	}
	return maps;
}

// "name:first:size", a line each. Lines that are anything else are skipped.
bool subid_find(const char *text, const char *name, uint32_t uid, uint32_t *out_first, uint32_t *out_size)
{
	own_arena struct arena arena = { 0 };
	const char *number = arena_printf(&arena, "%u", uid);
	struct strv lines = str_split(&arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct strv f = str_split(&arena, lines.items[i], ':');
		uint64_t first, size;
		if (f.count != 3 || !(str_eq(f.items[0], name) || str_eq(f.items[0], number)))
			continue;
		if (num_u64("first id", f.items[1], 1, UINT32_MAX - 1, &first, NULL) < 0 ||
		    num_u64("size", f.items[2], 1, UINT32_MAX - first, &size, NULL) < 0)
			continue;
		*out_first = (uint32_t)first;
		*out_size = (uint32_t)size;
		return true;
	}
	return false;
}

// The user's name, from the host's own /etc/passwd alone: a static program has no NSS, and subuid takes numbers too.
static const char *user_name(struct arena *arena, uint32_t uid)
{
	const char *text = file_read(arena, AT_FDCWD, "/etc/passwd", FILE_CONFIG, NULL, NULL);
	const char *number = arena_printf(arena, "%u", uid);
	struct strv lines = text ? str_split(arena, text, '\n') : (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) {
		struct strv f = str_split(arena, lines.items[i], ':');
		if (f.count >= 3 && str_eq(f.items[2], number))
			return f.items[0];
	}
	return number;
}

static bool find_range(struct arena *arena, const char *file, uint32_t id, uint32_t *out_first, uint32_t *out_size)
{
	const char *text = file_read(arena, AT_FDCWD, file, FILE_CONFIG, NULL, NULL);
	return text && subid_find(text, id == 0 ? "root" : user_name(arena, id), id, out_first, out_size);
}

void subid_own_maps(struct arena *arena, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids)
{
	uint32_t uid = geteuid(), gid = getegid(), first, size;
	struct spec_idmaps uids = { 0 }, gids = { 0 };
	const struct caller caller = caller_look();
	if (caller.nested && caller.maps_ids && uid == 0) { // all that it has, as it is
		*out_uids = caller_ids(arena, "uid_map");
		*out_gids = caller_ids(arena, "gid_map");
		return;
	}
	add(arena, &uids, (struct spec_idmap){ 0, uid, 1 });
	add(arena, &gids, (struct spec_idmap){ 0, gid, 1 });
	// subgid(5): the groups of a user stand under the user's own name, too.
	uint32_t gfirst, gsize;
	if (uid != 0 && find_range(arena, "/etc/subuid", uid, &first, &size) &&
	    find_range(arena, "/etc/subgid", uid, &gfirst, &gsize)) {
		add(arena, &uids, (struct spec_idmap){ 1, first, size });
		add(arena, &gids, (struct spec_idmap){ 1, gfirst, gsize });
	}
	*out_uids = uids;
	*out_gids = gids;
}

// FNV-1a: spreads ids over the slots; two containers in one slot are no worse off than with a common range.
static uint32_t slot(const char *id)
{
	uint32_t hash = 2166136261U;
	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619U;
	return hash % SUBID_SLOTS;
}

void subid_root_maps(struct arena *arena, const char *id, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids)
{
	struct spec_idmaps uids = { 0 }, gids = { 0 };
	uint32_t first = SUBID_FIRST + slot(id) * SUBID_SIZE, size = SUBID_SIZE, gfirst = first, gsize = size;
	if (!find_range(arena, "/etc/subuid", 0, &first, &size) || !find_range(arena, "/etc/subgid", 0, &gfirst, &gsize)) {
		first = gfirst = SUBID_FIRST + slot(id) * SUBID_SIZE;
		size = gsize = SUBID_SIZE;
	}
	add(arena, &uids, (struct spec_idmap){ 0, first, size });
	add(arena, &gids, (struct spec_idmap){ 0, gfirst, gsize });
	*out_uids = uids;
	*out_gids = gids;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t a_size, uint32_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

// user_namespaces(7): ranges overlap on neither side.
int subid_parse_map(struct arena *arena, const char *what, const char *text, struct spec_idmaps *maps, struct err *err)
{
	struct strv f = str_split(arena, text, ':');
	struct spec_idmap map = { .size = 1 };
	uint64_t size = 1;
	if (f.count < 2 || f.count > 3)
		return err_set(err, EINVAL, "%s '%.80s': not CONTAINER:HOST[:SIZE]", what, text);
	if (num_id(what, f.items[0], &map.container, err) < 0 || num_id(what, f.items[1], &map.host, err) < 0)
		return -1;
	if (f.count == 3 && num_u64(what, f.items[2], 1, UINT32_MAX, &size, err) < 0)
		return -1;
	if (size > UINT32_MAX - (uint64_t)map.container || size > UINT32_MAX - (uint64_t)map.host)
		return err_set(err, ERANGE, "%s '%.80s': the range ends beyond the last id", what, text);
	map.size = (uint32_t)size;
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_idmap *m = &maps->items[i];
		if (overlap(map.container, m->container, map.size, m->size) || overlap(map.host, m->host, map.size, m->size))
			return err_set(err, EINVAL, "%s '%.80s': overlaps with another map", what, text);
	}
	add(arena, maps, map);
	return 0;
}

int subid_check_root(const char *what, const struct spec_idmaps *maps, struct err *err)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->items[i].container == 0)
			return 0;
	}
	err_set(err, EINVAL, "%s: no map begins with the container's id 0, which sets the container up", what);
	return err_hint(err, "add 0:HOST:SIZE");
}
