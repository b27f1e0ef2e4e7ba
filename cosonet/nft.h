// SPDX-License-Identifier: GPL-2.0-or-later
// nft.h - what nf_tables has, asked of the kernel directly: a launch has no time to load libnftables for a yes or no
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

#define NFT_TABLE "coso" // our table, of family inet

// Whether this kernel has nf_tables (its module may load for it).
bool nft_offered(void);

// Whether any table but ours has a rule. 1, 0 or -1.
int nft_has_rules_of_others(struct err *err);

// Whether a chain exists in a table of `family` (NFPROTO_*). 1, 0 or -1.
int nft_has_chain(int family, const char *table, const char *chain, struct err *err);

// Whether a chain of our table has a rule. No such chain: 0. 1, 0 or -1.
int nft_has_rule(const char *chain, struct err *err);

// Whether a set or map of ours has an element with this key. No such set: 0. 1, 0 or -1.
int nft_has_element(const char *set, const void *key, size_t size, struct err *err);

// Calls `each` with the key of every element of a set or map of ours. No such set: none. 0 or -1.
int nft_each_key(const char *set, void (*each)(const unsigned char *key, size_t size, void *arg), void *arg, struct err *err);
