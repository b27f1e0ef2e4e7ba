// SPDX-License-Identifier: GPL-2.0-or-later
// record.h - what a bridge remembers, in the kernel's alias of the link (pure)
//
// Networks, firewall back end, and what forwarding was before COSO turned it on: teardown undoes exactly that. The record lives
// and dies with the bridge, is one netlink attribute (written atomically, read by the request that finds the bridge), and needs
// no file. Linux allows 255 bytes.
#pragma once

#include "shared/num.h"

#include <stdbool.h>
#include <stddef.h>

enum { RECORD_MAX = 256 }; // bytes with the NUL

enum fw_kind { FW_AUTO, FW_IPTABLES, FW_NFTABLES };

struct record {
	bool ready;           // set-up came to its end
	struct num_cidr net4; // the bridge's own address in its network
	struct num_cidr net6; // family 0: no IPv6
	enum fw_kind fw;
	unsigned int mtu;
	// What teardown restores: -1 means that it was on before, and isn't ours to turn off.
	int forward4;   // net.ipv4.ip_forward
	int redirects4; // net.ipv4.conf.all.accept_redirects, which the kernel changes with it
	int forward6;   // net.ipv6.conf.all.forwarding
};

// Writes the record as text. 0, or -1 if it doesn't fit.
int record_print(const struct record *record, char out[RECORD_MAX]);

// Reads it back; false if the text isn't one.
bool record_parse(const char *text, struct record *out);

// "10.0.0.1/24", into at least RECORD_ADDRESS bytes; record_host leaves the prefix length out.
enum { RECORD_ADDRESS = INET6_ADDRSTRLEN + 4 };
const char *record_cidr(const struct num_cidr *cidr, char out[RECORD_ADDRESS]);
const char *record_host(const struct num_cidr *cidr, char out[RECORD_ADDRESS]);

// "auto", "iptables", "nftables".
const char *record_fw_name(enum fw_kind kind);
bool record_fw_parse(const char *name, enum fw_kind *out);
