// SPDX-License-Identifier: GPL-2.0-or-later
// addr.h - addresses and routes. rtnetlink(7)
#pragma once

#include "cosonet/netlink.h"
#include "shared/arena.h"
#include "shared/num.h"

#include <stdbool.h>

// Adds an address, usable at once: IPv6 without duplicate address detection (the lease made it unique). EEXIST is fine.
int addr_add(struct netlink *nl, int index, const struct num_cidr *address, struct err *err);

// An address as the kernel tells it, to be added again elsewhere.
struct addr_kept {
	unsigned char family, prefix;
	unsigned char size;         // of `local` and `address`, in bytes
	unsigned char local[16];    // IFA_LOCAL; where the kernel tells none, `address`
	unsigned char address[16];  // IFA_ADDRESS: the peer's, or the same
	unsigned char broadcast[4]; // zero: none
	uint32_t flags, priority;
};

struct addr_list {
	struct addr_kept *items;
	size_t count;
};

// Lists a link's addresses that stay (IFA_F_PERMANENT) and reach everywhere (RT_SCOPE_UNIVERSE), of every family.
int addr_list(struct netlink *nl, struct arena *arena, int index, struct addr_list *out, struct err *err);

// Adds one of them, usable at once, as addr_add.
int addr_restore(struct netlink *nl, int index, const struct addr_kept *address, struct err *err);

// Adds the default route by a gateway.
int addr_route_default(struct netlink *nl, int index, const struct num_cidr *gateway, struct err *err);

// Where a packet to `address` would go: *out_local whether it is one of this host's own addresses, *out_index the link it leaves by
// (0: there is no way). 0 or -1.
int addr_lookup(struct netlink *nl, const struct num_cidr *address, bool *out_local, int *out_index, struct err *err);

// Looks for a route, not by link `ignore`, that overlaps with the network of `net`. A route of more than /8 (IPv6: /16) is a default one in
// disguise, as a VPN's 0.0.0.0/1 and 128.0.0.0/1, and doesn't count. Returns 1 and the route and its link, or 0, or -1.
int addr_overlap(struct netlink *nl, const struct num_cidr *net, int ignore, struct num_cidr *out_route, int *out_index,
		 struct err *err);
