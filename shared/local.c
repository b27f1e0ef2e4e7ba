// SPDX-License-Identifier: GPL-2.0-or-later
// local.c - sockets that have a name in the file system
#include "shared/local.h"

#include "shared/arena.h"
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

int local_connect(const char *path, int timeout_ms, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000L };
	char *folder = arena_strdup(&arena, path), *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	// sun_path has 108 bytes; the folder's descriptor stands for a longer path.
	own_fd int dir = open(slash ? (*folder ? folder : "/") : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dir < 0 || s < 0 || setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
		return err_sys(err, "connect to '%s'", path);
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, name);
	if ((size_t)n >= sizeof(address.sun_path))
		return err_set(err, ENAMETOOLONG, "connect to '%s': the name is too long", path);
	if (connect(s, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "connect to '%s'", path);
	return take_fd(&s);
}
