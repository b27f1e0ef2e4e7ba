// SPDX-License-Identifier: GPL-2.0-or-later
// nft_batch.h - elements of nf_tables sets and maps, made and removed in one transaction, without libnftables
//
// That library takes 10 ms to read its own language and load what it wants to know before it adds one element. Rules, which are
// written once, are its business; elements are written for each container with published ports, and are a few attributes.
// Source: linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h.
#pragma once

#include "cosonet/netlink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { NFT_BATCH_KEY = 32 };

// A key, or a map's value: parts one behind the other, each filled up to 4 bytes, as nf_tables has them in registers.
struct nft_value {
	unsigned char bytes[NFT_BATCH_KEY];
	size_t size;
};

void nft_value_add(struct nft_value *value, const void *part, size_t size);

struct nft_batch {
	FILE *file;
	char *text; // messages, one behind the other
	size_t size;
	struct nl_msg *msg; // the one that is being filled
	struct nlattr *list;
	const char *set;
	bool create;
	unsigned int sequence;
	bool broken; // out of memory
};

struct nft_change {
	const char *set; // of table "inet coso"
	bool create;     // fails with EEXIST if the element is there; else: remove, ENOENT if it isn't
	struct nft_value key;
	struct nft_value data; // size 0: a set has none
	const char *comment;   // as libnftables writes and shows it; NULL: none
};

int nft_batch_open(struct nft_batch *batch, struct err *err);
void nft_batch_add(struct nft_batch *batch, const struct nft_change *change);

// All or nothing. 0, or -1 with err->code.
int nft_batch_commit(struct nft_batch *batch, struct err *err);
void nft_batch_free(struct nft_batch *batch);

#define own_nft_batch __attribute__((cleanup(nft_batch_free)))
