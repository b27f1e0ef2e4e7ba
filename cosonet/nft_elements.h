// SPDX-License-Identifier: GPL-2.0-or-later
// nft_elements.h - reads what libnftables prints as JSON (libnftables-json(5)) (pure)
#pragma once

#include "cosonet/fw.h"
#include "shared/arena.h"

#include <stddef.h>

struct nft_element {
	const char *set;       // the set's or map's name
	const char *key;       // as the nft language writes it: "tcp . 80"
	struct fw_owner owner; // from its comment
	struct fw_port port;   // count 0: not a published port
};

struct nft_elements {
	struct arena *arena;       // NULL: there is no table
	struct nft_element *items; // those with an owner
	size_t count;
	const char **bridges; // elements of the set "links"
	size_t bridge_count;
};

struct nft_handles {
	long long *items;
	size_t count;
};

// The elements of a `list table`. 0 or -1.
int nft_elements_parse(struct arena *arena, const char *json, struct nft_elements *out, struct err *err);

// The handles of the rules with this comment, of a `list chain`. 0 or -1.
int nft_elements_handles(struct arena *arena, const char *json, const char *comment, struct nft_handles *out, struct err *err);
