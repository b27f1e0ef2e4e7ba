// SPDX-License-Identifier: GPL-2.0-or-later
// console.h - sockets on which an engine waits for one descriptor: a terminal's master (--console-socket), a pidfd (--pidfd-socket)
#pragma once

#include "shared/err.h"

// Connects to a stream socket at a path of any length. Returns a descriptor, or -1.
int console_connect(const char *path, struct err *err);

// Sends `fd` with one message, and nothing else.
int console_send(int socket, int fd, struct err *err);
