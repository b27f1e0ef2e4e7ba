// SPDX-License-Identifier: GPL-2.0-or-later
// settle.c - a monitor lets go of what it inherited
#include "coso/engine/settle.h"

#include "shared/num.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

static bool is_own(const int *own, size_t count, int fd)
{
	for (size_t i = 0; i < count; i++) {
		if (own[i] == fd)
			return true;
	}
	return false;
}

int settle_note(struct arena *arena, const int *own, size_t own_count, struct settle *out_settle, struct err *err)
{
	struct settle settle = { 0 };
	DIR *list = opendir("/proc/self/fd");
	if (!list)
		return err_sys(err, "open '/proc/self/fd'");
	struct dirent *entry;
	while ((entry = readdir(list))) {
		uint64_t fd;
		if (num_u64("descriptor", entry->d_name, STDERR_FILENO + 1, INT32_MAX, &fd, NULL) < 0 || (int)fd == dirfd(list) ||
		    is_own(own, own_count, (int)fd))
			continue;
		settle.fds = arena_grow(arena, settle.fds, settle.count, sizeof(*settle.fds));
		settle.fds[settle.count++] = (int)fd;
	}
	closedir(list);
	*out_settle = settle;
	return 0;
}

void settle_down(const struct settle *settle)
{
	for (size_t i = 0; i < settle->count; i++)
		close(settle->fds[i]);
	(void)!chdir("/"); // root's own "/" can always be entered
}
