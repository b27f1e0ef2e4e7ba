// SPDX-License-Identifier: GPL-2.0-or-later
// probe.h - the parts of the probe: risky system calls, and a little network
#pragma once

#include <stdbool.h>

// Attempts the named system call with arguments that change nothing where it is refused, and in a child where it might hurt
// the caller. Prints "name=ok" or "name=ERRNO". False: no such name. The name "all" attempts each.
bool probe_try(const char *name);

// Actions, as the table in probe.c describes them; each returns the exit status.
int probe_serve_tcp(char **args);
int probe_serve_udp(char **args);
int probe_send(char **args);
int probe_ping(char **args);
