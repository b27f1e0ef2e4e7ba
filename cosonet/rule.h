// SPDX-License-Identifier: GPL-2.0-or-later
// rule.h - a rule of a legacy table: what we say, and the bytes that the kernel takes (pure)
//
// Sources: the kernel's linux/netfilter/xt_*.h, linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h.
#pragma once

#include "shared/num.h"

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RULE_MAX = 2048, RULE_COMMENT = 256 };

enum rule_verdict { RULE_ACCEPT, RULE_DROP, RULE_JUMP, RULE_MASQUERADE, RULE_DNAT, RULE_OTHER };

enum rule_state { RULE_ANY_STATE, RULE_ESTABLISHED, RULE_TRANSLATED }; // conntrack: answers; packets whose address was changed

struct rule {
	struct num_cidr source, destination; // family 0: any
	bool not_destination;
	char in[IFNAMSIZ], out[IFNAMSIZ]; // empty: any
	bool not_out;
	uint8_t proto;        // 0: any
	uint16_t port, count; // of the destination; count 0: any
	bool local;           // the destination is an address of this host
	enum rule_state state;
	enum rule_verdict verdict;
	char chain[29];     // with RULE_JUMP; XT_EXTENSION_MAXNAMELEN
	struct num_cidr to; // with RULE_DNAT
	uint16_t to_port;   // with RULE_DNAT: the first of `count`
	char comment[RULE_COMMENT];
};

// Writes an ipt_entry (AF_INET) or ip6t_entry (AF_INET6). Returns its size. `out` is aligned for any type.
size_t rule_encode(const struct rule *rule, int family, unsigned char out[RULE_MAX]);

// Reads the parts of an entry that COSO writes for a published port: addresses, ports, verdict DNAT and comment.
void rule_decode(const void *entry, int family, struct rule *out);

// The entry's comment, or "".
const char *rule_comment(const void *entry, int family);
