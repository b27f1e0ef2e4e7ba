// SPDX-License-Identifier: GPL-2.0-or-later
// ports.h - whether the ports that are to be published can be
#pragma once

#include "cosonet/netlink.h"
#include "cosonet/publish.h"

#include <stdbool.h>

// Refuses an address that isn't this host's own (CVE-2020-8554), one of loopback, IPv6 where the bridge has none, and a port that a
// program of the host has bound. 0 or -1.
int ports_check(struct netlink *nl, const struct publish_list *list, bool ipv6, struct err *err);
