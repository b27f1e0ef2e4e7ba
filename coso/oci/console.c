// SPDX-License-Identifier: GPL-2.0-or-later
// console.c - sockets on which an engine waits for one descriptor
#include "coso/oci/console.h"

#include "shared/arena.h"
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int console_connect(const char *path, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *folder = arena_strdup(&arena, path), *slash = strrchr(folder, '/');
	const char *name = slash ? slash + 1 : path;
	if (slash)
		*slash = '\0';
	// sun_path has 108 bytes; the folder's descriptor stands for a longer path. unix(7)
	own_fd int dir = open(slash ? (*folder ? folder : "/") : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (dir < 0 || s < 0)
		return err_sys(err, "connect to '%s'", path);
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, name);
	if ((size_t)n >= sizeof(address.sun_path))
		return err_set(err, ENAMETOOLONG, "connect to '%s': the name is too long", path);
	if (connect(s, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(err, "connect to '%s'", path);
	return take_fd(&s);
}

int console_send(int socket, int fd, struct err *err)
{
	static const char payload[] = "/dev/ptmx"; // what runc sends; whoever receives it looks at the descriptor alone
	return fd_send(socket, payload, sizeof(payload) - 1, &fd, 1, err);
}
