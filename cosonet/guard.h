// SPDX-License-Identifier: GPL-2.0-or-later
// guard.h - a container sends as nobody but itself: what its link to the bridge lets in
//
// Addresses are forged in frames (source MAC), in packets (source address) and in what finds neighbours (ARP; IPv6 neighbour and
// router advertisements, redirects). All of it is looked at where it leaves the container, by a classic BPF program on the ingress
// of the host's end: no table, no firewall, and it goes with the link. Multicast listener reports stay out too. tc-bpf(8), RFC 826, RFC 4861, RFC 7113
#pragma once

#include "cosonet/link.h"
#include "shared/num.h"

#include <linux/filter.h>
#include <stdbool.h>

enum { GUARD_MOST = 220 }; // instructions

struct guard_owner {
	unsigned char mac[LINK_MAC];
	struct num_cidr address4, address6; // address6.family 0: no IPv6 at all
	// Nor does it reach where a cloud gives out credentials: 169.254.0.0/16, 100.100.100.200 and 168.63.129.16, but for UDP port 53;
	// fd00:ec2::254, fd00:ec2::23, fd20:ce::254, fd00:c1::a9fe:a9fe.
	bool no_metadata;
};

// Writes the program, which returns TC_ACT_OK or TC_ACT_SHOT for a frame. Returns its length. (pure)
size_t guard_program(const struct guard_owner *owner, struct sock_filter out[GUARD_MOST]);

// Puts it on link `index`. Returns 1; 0 where the kernel has no such thing (CONFIG_NET_SCH_INGRESS, _NET_CLS_BPF, _NET_CLS_ACT); or -1.
int guard_attach(struct netlink *nl, int index, const struct guard_owner *owner, struct err *err);

// Puts a program that lets everything in on a link that stays. The kernel rewrites its own code when the first such program comes and
// when the last one goes: a launch would pay for that as often as there was no other container. Again is fine. 0 or -1.
int guard_hold(struct netlink *nl, int index, struct err *err);
