// SPDX-License-Identifier: GPL-2.0-or-later
// ipam.h - which address a container may have, and the link name that stands for having it (pure)
//
// There is no lease file: the host's end of the container's veth pair is named after bridge and address, the kernel lets a name
// exist once in a network namespace, and the link goes when the container's namespace does.
#pragma once

#include "shared/num.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

// Host numbers (address minus network address) that containers may have: first to last, without `gateway`.
struct ipam_pool {
	uint32_t first, last, gateway;
};

// The pool of an IPv4 network, in which `gateway` is taken. Containers with published ports get the upper half of it, the others
// the lower one: rules that outlived a container (kill -9) can then never point at an address that somebody takes without looking
// at the rules. A pool too small to be halved is shared (ipam_is_split is false): whoever takes an address looks at the rules.
struct ipam_pool ipam_pool(const struct num_cidr *gateway, bool publishes);
bool ipam_is_split(const struct num_cidr *gateway);

// The n-th candidate (n from 0) for an id: all of the pool, each once, from a place that the id decides. 0: there are no more.
uint32_t ipam_candidate(const struct ipam_pool *pool, const char *id, uint32_t n);

// How many there are.
uint32_t ipam_count(const struct ipam_pool *pool);

// gateway's network + host number, with the gateway's prefix length; either family.
struct num_cidr ipam_address(const struct num_cidr *gateway, uint32_t host);

// The host number of `address` in gateway's network, or 0 if it isn't in there.
uint32_t ipam_host(const struct num_cidr *gateway, const struct num_cidr *address);

// "co" + 5 characters of the bridge + 8 of the IPv4 address: 15, all that a link name can have.
void ipam_lease_name(char out[IFNAMSIZ], const char *bridge, struct in_addr address);

// Whether the name is a lease on this bridge, and of which address.
bool ipam_lease_parse(const char *name, const char *bridge, struct in_addr *out);

// A stable 32-bit hash of a text (FNV-1a).
uint32_t ipam_hash(const char *text);
