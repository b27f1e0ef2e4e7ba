// SPDX-License-Identifier: GPL-2.0-or-later
// pidfile.c - a process's number in a file of the caller's
#include "coso/engine/pidfile.h"

#include "shared/fd.h"
#include "shared/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int pidfile_write(const char *path, pid_t pid, struct err *err)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", (int)pid);
	own_arena struct arena arena = { 0 };
	char *folder = arena_strdup(&arena, path), *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	own_fd int dir = open(slash ? (*folder ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? err_sys(err, "open the folder of '%s'", path) : file_replace(dir, name, text, (size_t)size, 0644, err);
}
