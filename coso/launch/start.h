// SPDX-License-Identifier: GPL-2.0-or-later
// start.h - between create and start: a container that is ready, and waits for its program to be started
//
// Theory of operation. The container's first process listens on a socket in the state folder, where nothing in the container can
// name it. `start` connects, removes the socket's name, and says go: from its removal on nobody else can start the container. What
// happens until exec is reported over the connection, which exec closes. If `start` dies before it has said go, the container ends.
#pragma once

#include "coso/launch/gate.h"
#include "shared/err.h"

#include <stdbool.h>

struct launch;

// Outside, for create: makes the socket in the folder, under a name that start doesn't look for. Returns the descriptor for
// launch->start, or -1. start_allow gives it its own name once the container is created.
int start_listen(int folder, struct err *err);
int start_allow(int folder, struct err *err);

// Outside: true between start_listen and start_allow, and between start_allow and start_go.
bool start_is_being_made(int folder);
bool start_is_awaited(int folder);

// Inside. Should: hold nothing open that create's caller waits for, nor anything of the host's. Returns once `start` said go.
int start_wait(struct launch *launch, struct err *err);

// Outside, for start: a connection on which reports are read (gate_read_report), or -1. ESRCH: nobody waits there any more.
int start_go(int folder, struct err *err);
