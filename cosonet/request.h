// SPDX-License-Identifier: GPL-2.0-or-later
// request.h - what the command line and COSO_* ask for, parsed and checked before the system is touched (pure)
#pragma once

#include "cosonet/publish.h"
#include "cosonet/record.h"

#include <stdio.h>
#include <sys/types.h>

enum request_verb {
	REQUEST_ATTACH,
	REQUEST_SETUP,
	REQUEST_TEARDOWN,
	REQUEST_STATUS,
	REQUEST_RELEASE,
	REQUEST_ADOPT,
	REQUEST_HELP,
	REQUEST_VERSION
};

// An interface of the host that becomes a container's.
struct request_adopt {
	const char *host;
	const char *name; // inside, perhaps with a "%d" for the kernel to replace; NULL: the same
};

struct request {
	enum request_verb verb;
	pid_t pid;
	struct request_adopt *adopts;
	size_t adopt_count;
	const char *bridge;
	struct num_cidr net4;      // the bridge's address in its network
	struct num_cidr net6;      // family 0: no IPv6
	bool nets_given;           // by the caller, and not by default
	struct num_cidr container; // family 0: COSO chooses
	const char *veth_prefix;   // NULL: the link's name is the lease
	const char *ifname;        // in the container
	unsigned int mtu;          // 0: as the host's way out
	bool mtu_given;
	enum fw_kind fw;
	bool json;
	bool verbose;
	const char *id;    // COSO_ID, or "pid-<PID>"
	const char *owner; // whose rules are whose: id, with COSO_STATE "id@hash", since ids are of one folder of states
	struct publish_list publish;
	bool no_metadata; // COSO_METADATA=no
};

// Returns 0, 2 (the command line is wrong) or 1 (a value is wrong), with a message. All text lives in the arena, argv or env.
int request_parse(struct arena *arena, int argc, char *const argv[], const char *(*env)(const char *name), struct request *out,
		  struct err *err);

void request_help(FILE *out);
