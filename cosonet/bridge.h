// SPDX-License-Identifier: GPL-2.0-or-later
// bridge.h - the bridge of the containers with all that belongs to it: addresses, forwarding, NAT
#pragma once

#include "cosonet/fw.h"
#include "cosonet/link.h"
#include "cosonet/record.h"
#include "cosonet/request.h"

struct bridge {
	struct link link;
	struct record record;
};

// Looks the request's bridge up, with few and cheap questions. Returns 1 if it is there and whole, 0 if bridge_setup has something
// to make or to mend, or -1: a link of that name isn't ours, or is set up otherwise than the request says.
int bridge_find(struct netlink *nl, const struct request *request, struct bridge *out, struct err *err);

// Makes what is missing: bridge, addresses, forwarding, NAT; and removes the rules of containers that are gone. Again is fine. What
// it made itself it takes away if it fails. 0 or -1.
int bridge_setup(struct netlink *nl, const struct request *request, struct bridge *out, struct err *err);

// Undoes exactly that. Refuses while containers are on the bridge. Nothing there is fine. 0 or -1.
int bridge_teardown(struct netlink *nl, const struct request *request, struct err *err);

// What the firewall's verbs want to know of a bridge.
struct fw_net bridge_fw_net(const struct request *request, const struct record *record);
