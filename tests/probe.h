// SPDX-License-Identifier: GPL-2.0-or-later
// probe.h - the parts of the probe: risky system calls, a little network, and what engines want to know
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
int probe_hold(char **args);
int probe_count(char **args);
int probe_record(char **args);
int probe_notify(char **args);
int probe_call(char **args);
int probe_node(char **args);

// A fact: scheduler, CPUs, memory policy, personality, session keyring and clocks.
void probe_attributes(void);
