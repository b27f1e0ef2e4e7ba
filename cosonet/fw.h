// SPDX-License-Identifier: GPL-2.0-or-later
// fw.h - the firewall: four verbs, two back ends (fw_iptc: legacy tables; fw_nft: nf_tables)
//
// Masquerade and forward are written once a bridge; a container without published ports writes nothing. Whatever is written for
// a container names its lease (the host's end of its veth pair) and its id, and is dead once the link of that name is gone. No
// policy, table or chain of others is changed, but for one commented jump in each built-in chain of the legacy tables, and an
// accept in DOCKER-USER where Docker left that chain for us.
#pragma once

#include "cosonet/publish.h"
#include "cosonet/record.h"

#include <stdbool.h>

struct fw_net {
	const char *bridge;
	struct num_cidr net4, net6; // net6.family 0: none
};

struct fw_lease {
	const char *veth;  // the link that the rules live and die with
	const char *owner; // request.owner
	struct num_cidr address4, address6;
};

// Which of the bridge's published ports go. With `everything`, the bridge's other rules go too.
struct fw_sweep {
	const char *bridge; // NULL: of any bridge
	const char *veth;   // those of this lease, whoever wrote them (NULL: none)
	const char *owner;  // those of this container: request.owner (NULL: none)
	bool dead;          // those of leases whose link is gone
	bool everything;
};

// A port that is published, as the rules have it; for status.
struct fw_port {
	const char *veth, *id;
	uint8_t proto;
	struct num_cidr host; // family 0: any address
	struct num_cidr container;
	uint16_t host_port, container_port, count;
};

struct fw_ops {
	// Whether both of the next verbs' rules are in place. Reads only, and makes nothing. 1, 0 or -1.
	int (*ready)(const struct fw_net *net, struct err *err);
	// Containers reach the outside under the host's address, and each other by a published port. Again is fine.
	int (*masquerade)(const struct fw_net *net, struct err *err);
	// Packets from the bridge, answers to them and published ports pass; nothing else reaches a container. Again is fine.
	int (*forward)(const struct fw_net *net, struct err *err);
	// The ports of the list, all or none; whatever an earlier owner of the lease left goes first. EADDRINUSE: somebody has one.
	int (*publish)(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err);
	int (*sweep)(const struct fw_sweep *sweep, struct err *err);
	// Calls `each` for all that is published on the bridge.
	int (*list)(const char *bridge, void (*each)(const struct fw_port *port, void *arg), void *arg, struct err *err);
};

// The back end of a kind other than FW_AUTO. Who calls publish, masquerade, forward or sweep holds lock_take's lock.
const struct fw_ops *fw_back_end(enum fw_kind kind);

// What FW_AUTO means here: iptables where the kernel offers legacy tables and nothing keeps rules in nf_tables, else nftables. 0 or -1.
int fw_choose(enum fw_kind wish, enum fw_kind *out, struct err *err);

// For back ends: the text that marks a rule. A bridge's own rules: "coso BRIDGE"; a container's: "coso BRIDGE VETH OWNER".
enum { FW_COMMENT = 128 };

struct fw_owner {
	char bridge[16], veth[16], owner[80]; // veth, owner and id are empty for a bridge's own rules
	char id[80];                          // the owner's, up to an "@"
};

void fw_comment(char out[FW_COMMENT], const char *bridge, const struct fw_lease *lease);
bool fw_owner_parse(const char *comment, struct fw_owner *out);

// Whether a sweep takes the rules of this owner.
bool fw_sweep_takes(const struct fw_sweep *sweep, const struct fw_owner *owner);
