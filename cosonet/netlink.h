// SPDX-License-Identifier: GPL-2.0-or-later
// netlink.h - a netlink socket that keeps what the kernel really said: its errno and its own words (extended ack)
//
// The socket belongs to the network namespace in which it was opened, wherever the process goes later. netlink(7)
#pragma once

#include "shared/err.h"

#include <netlink/netlink.h>
#include <stdbool.h>

struct netlink {
	struct nl_sock *sock;
	int code;         // errno value of the last answer
	char text[256];   // the kernel's explanation of it, or empty
	bool interrupted; // the last dump changed while it was read
};

// Opens a socket of `protocol` (NETLINK_ROUTE or NETLINK_NETFILTER). 0 or -1.
int netlink_open(struct netlink *nl, int protocol, struct err *err);
void netlink_close(struct netlink *nl);

#define own_netlink __attribute__((cleanup(netlink_close)))

// Sends a request and waits for its answer. The message is freed. Returns 0, or -1 with err->code = the kernel's errno.
int netlink_request(struct netlink *nl, struct nl_msg *msg, struct err *err);

// Sends a request that is answered by one message, and calls `each` for it. The message is freed. As netlink_request.
int netlink_ask(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nl_msg *msg, void *arg), void *arg, struct err *err);

// Sends a dump request and calls `each` for every message that comes. The message is freed. Returns 0, 1 if what is listed
// changed meanwhile (something may be missing), or -1.
int netlink_dump(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nl_msg *msg, void *arg), void *arg, struct err *err);

// err_set for a libnl call that failed before anything was sent (memory, encoding).
int netlink_error(int libnl_code, struct err *err);

// A message of NETLINK_NETFILTER without attributes, to one of its subsystems (NFNL_SUBSYS_*). NULL: no memory.
struct nl_msg *netlink_filter_message(int subsystem, int type, int family, struct err *err);
