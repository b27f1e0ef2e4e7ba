// SPDX-License-Identifier: GPL-2.0-or-later
// sysctl.h - the kernel's settings below /proc/sys/net, of the network namespace that this process is in
#pragma once

#include "shared/err.h"

#include <stdbool.h>

// Reads a setting, named as "ipv4/ip_forward". Returns 1, 0 if the kernel has none of that name, or -1.
int sysctl_get(const char *name, int *out, struct err *err);

// Writes a setting. A name that the kernel doesn't have is an error. 0 or -1.
int sysctl_set(const char *name, int value, struct err *err);

// As sysctl_set, for "<family>/conf/<link>/<key>".
int sysctl_set_link(const char *family, const char *link, const char *key, int value, struct err *err);

// Whether this kernel speaks IPv6 and nobody turned it off for all links.
bool sysctl_has_ipv6(void);
