// SPDX-License-Identifier: GPL-2.0-or-later
// console.c - sockets on which an engine waits for one descriptor
#include "coso/oci/console.h"

#include "shared/fd.h"
#include "shared/local.h"

int console_connect(const char *path, struct err *err)
{
	return local_connect(path, 0, err);
}

int console_send(int socket, int fd, struct err *err)
{
	static const char payload[] = "/dev/ptmx"; // what runc sends; whoever receives it looks at the descriptor alone
	return fd_send(socket, payload, sizeof(payload) - 1, &fd, 1, err);
}
