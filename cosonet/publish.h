// SPDX-License-Identifier: GPL-2.0-or-later
// publish.h - what COSO_PUBLISH says: ports of the host that lead into the container (pure)
#pragma once

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/num.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// One mapping: `count` ports from host_port on become as many from container_port on.
struct publish {
	const char *text;        // as it was given, for messages
	struct num_cidr address; // of the host; family 0: every address of the host, of both families
	uint16_t host_port;
	uint16_t container_port;
	uint16_t count;
	uint8_t proto; // IPPROTO_TCP or IPPROTO_UDP
};

struct publish_list {
	struct publish *items;
	size_t count;
};

// Parses `[ip:]host[-end]:container[-end][/proto]`, comma-separated; IPv6 addresses in brackets. NULL or "" is an empty list.
// Refuses ranges of different length, port 0, and what the list itself publishes twice. 0 or -1.
int publish_parse(struct arena *arena, const char *text, struct publish_list *out, struct err *err);

// Whether a mapping concerns this family at all.
bool publish_covers(const struct publish *publish, int family);

const char *publish_proto_name(const struct publish *publish);
