// SPDX-License-Identifier: GPL-2.0-or-later
// local.h - sockets that have a name in the file system. unix(7)
#pragma once

#include "shared/err.h"

// Connects to a stream socket at a path of any length. What then takes longer than `timeout_ms` (0: nothing does), connecting
// included, fails with EAGAIN. Returns a CLOEXEC descriptor, or -1.
int local_connect(const char *path, int timeout_ms, struct err *err);
