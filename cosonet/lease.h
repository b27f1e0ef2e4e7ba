// SPDX-License-Identifier: GPL-2.0-or-later
// lease.h - an address taken by making the link that stands for it
#pragma once

#include "cosonet/link.h"
#include "cosonet/netns.h"
#include "cosonet/record.h"
#include "cosonet/request.h"

struct lease {
	char name[IFNAMSIZ];                // ipam_lease_name: the link's name, or with -vethNamePrefix its alternative name
	char veth[IFNAMSIZ];                // the host's end
	int index;                          // of that
	struct num_cidr address4, address6; // address6.family 0: none
};

struct lease_terms {
	const struct request *request;
	const struct record *record; // of the bridge
	int bridge;                  // its index
	const struct netns *netns;   // where the other end goes
};

// Makes the veth pair, and with it takes an address that nobody has: the one that was asked for, or else a free one. Waits up to 2 s
// for one to become free, since a link outlives its container by some milliseconds. 0 or -1; nothing is left after a failure.
int lease_take(struct netlink *nl, const struct lease_terms *terms, struct lease *out, struct err *err);

// Gives it back: both ends of the pair go.
int lease_drop(struct netlink *nl, const struct lease *lease, struct err *err);
