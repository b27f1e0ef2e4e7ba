// SPDX-License-Identifier: GPL-2.0-or-later
// installed.c - where this program is installed
#include "shared/installed.h"

#include "shared/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char self[] = "/proc/self/exe";

bool installed_is_unwritable(int fd)
{
	struct statvfs fs;
	int seals = fcntl(fd, F_GET_SEALS);
	return (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY)) || (seals >= 0 && (seals & F_SEAL_WRITE));
}

bool installed_is_copy(void)
{
	own_fd int fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && installed_is_unwritable(fd);
}

const char *installed_folder(struct arena *arena)
{
	char path[PATH_MAX];
	const char *handed = installed_is_copy() ? getenv(INSTALLED_VARIABLE) : NULL;
	ssize_t n = readlink(self, path, sizeof(path) - 1);
	if (handed)
		return arena_strdup(arena, handed);
	if (n <= 0)
		return "";
	path[n] = '\0';
	char *slash = strrchr(path, '/');
	return slash ? arena_strndup(arena, path, (size_t)(slash - path)) : "";
}

const char *installed_helper(struct arena *arena, const char *name)
{
	const char *folder = installed_folder(arena), *beside = arena_printf(arena, "%s/%s", folder, name);
	return access(beside, X_OK) == 0 ? beside : arena_printf(arena, "%s/../libexec/coso/%s", folder, name);
}
