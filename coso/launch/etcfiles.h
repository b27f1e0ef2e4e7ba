// SPDX-License-Identifier: GPL-2.0-or-later
// etcfiles.h - /etc/resolv.conf, /etc/hosts and /etc/hostname: files of COSO's own on the staging tmpfs, bound over the image's
#pragma once

#include "shared/err.h"

struct launch;

// Inside, with the root attached: makes and binds the three. hosts is empty until etcfiles_fill.
int etcfiles_bind(struct launch *launch, struct err *err);

// Inside, after gate 2. `resolv` replaces resolv.conf's text unless it is "".
int etcfiles_fill(struct launch *launch, const char *hosts, const char *resolv, struct err *err);

// Outside, once the network is known: the text of /etc/hosts.
char *etcfiles_hosts_text(const struct launch *launch);

// Outside, once the network is known: the text of /etc/resolv.conf with the name servers that the network named, or "" if it named
// none or the user chose others.
char *etcfiles_resolv_text(const struct launch *launch);
