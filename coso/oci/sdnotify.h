// SPDX-License-Identifier: GPL-2.0-or-later
// sdnotify.h - what a program says to its service manager, by way of the runtime that the manager knows. sd_notify(3)
//
// The container has a socket of its own in a folder of its state. Whoever starts the program listens there until the program is ready,
// and tells the manager. Order of use: sdnotify_prepare when it is made, sdnotify_listen before the program is started, sdnotify_relay
// afterwards.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>
#include <sys/types.h>

// Where this runtime's own manager listens ($NOTIFY_SOCKET), or NULL.
const char *sdnotify_manager(void);

// Where a container sees the folder: where the manager's socket is on the host; as /run/notify where that can't be. It stays so as long
// as the container lives, whoever its manager becomes.
const char *sdnotify_place(const struct spec *spec, const char *manager);

// False where it can't be, whatever the manager: what is bound from the host may have the manager's own socket there.
bool sdnotify_is_place(const struct spec *spec, const char *path);

// Makes the socket's folder in `state`, the container's folder, whose path is `path`, and tells the program of the socket.
int sdnotify_prepare(struct spec *spec, const char *place, int state, const char *path, struct err *err);

// Of a container that has it: adds to its spec the mount that it sees it by, of which but destination and key are to be looked at.
void sdnotify_describe(struct spec *spec, const char *place);

// Returns the socket, or -1.
int sdnotify_listen(int state, struct err *err);

// Returns once the program, or its end, was heard of, and the manager has taken note of it. What can't be told is a warning.
int sdnotify_relay(int socket, int pidfd, pid_t pid, const char *manager, struct err *err);
