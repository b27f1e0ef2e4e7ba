// SPDX-License-Identifier: GPL-2.0-or-later
// caller.c - what the calling process may do
#include "coso/spec/caller.h"

#include "shared/file.h"
#include "shared/num.h"
#include "shared/str.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t effective(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static bool has(uint64_t set, int capability)
{
	return set >> capability & 1;
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
	return count == 3;
}

static bool is_nested(struct arena *arena)
{
	uint64_t n[3];
	const char *text = file_read(arena, AT_FDCWD, "/proc/self/uid_map", FILE_SMALL, NULL, NULL);
	struct strv lines = text ? str_split(arena, text, '\n') : (struct strv){ 0 };
	return !(lines.count && parse_line(arena, lines.items[0], n) && n[0] == 0 && n[1] == 0 && n[2] == UINT32_MAX);
}

struct caller caller_look(void)
{
	own_arena struct arena arena = { 0 };
	uint64_t caps = effective();
	const char *groups = file_read(&arena, AT_FDCWD, "/proc/self/setgroups", FILE_SMALL, NULL, NULL);
	struct caller caller = { .nested = is_nested(&arena), .maps_ids = has(caps, CAP_SETUID) && has(caps, CAP_SETGID) };
	caller.privileged = geteuid() == 0 && !caller.nested && has(caps, CAP_SYS_ADMIN);
	caller.no_groups = groups && str_starts(groups, "deny");
	return caller;
}

bool caller_owns_system(void)
{
	own_arena struct arena arena = { 0 };
	if (geteuid() != 0)
		return false;
	return !is_nested(&arena) || (access("/run", W_OK) == 0 && access("/var/lib", W_OK) == 0);
}

struct spec_idmaps caller_ids(struct arena *arena, const char *file)
{
	struct spec_idmaps ids = { 0 };
	const char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "/proc/self/%s", file), FILE_SMALL, NULL, NULL);
	struct strv lines = text ? str_split(arena, text, '\n') : (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) {
		uint64_t n[3];
		if (!parse_line(arena, lines.items[i], n) || !n[2])
			continue;
		ids.items = arena_grow(arena, ids.items, ids.count, sizeof(*ids.items));
		ids.items[ids.count++] = (struct spec_idmap){ (uint32_t)n[0], (uint32_t)n[0], (uint32_t)n[2] };
	}
	return ids;
}
