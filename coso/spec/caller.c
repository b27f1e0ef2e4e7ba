// SPDX-License-Identifier: GPL-2.0-or-later
// caller.c - what the calling process may do
#include "coso/spec/caller.h"

#include "coso/spec/subid.h"
#include "shared/file.h"
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

static bool is_nested(struct arena *arena)
{
	const struct spec_idmaps maps = subid_read_maps(arena, "/proc/self/uid_map");
	return !(maps.count && maps.items[0].container == 0 && maps.items[0].host == 0 && maps.items[0].size == UINT32_MAX);
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
	struct spec_idmaps ids = subid_read_maps(arena, arena_printf(arena, "/proc/self/%s", file));
	for (size_t i = 0; i < ids.count; i++)
		ids.items[i].host = ids.items[i].container;
	return ids;
}
