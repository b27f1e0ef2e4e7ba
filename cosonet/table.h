// SPDX-License-Identifier: GPL-2.0-or-later
// table.h - one legacy table ("nat" or "filter") of one family, read, or changed in one commit. libiptc
#pragma once

#include "cosonet/rule.h"
#include "shared/err.h"

struct table {
	int family;
	const char *name;
	struct xtc_handle *handle;
};

// Whether the kernel has legacy tables for this family (its module is loaded, or could be).
bool table_offered(int family);

// Whether this table exists already. Opening one that doesn't makes it.
bool table_exists(int family, const char *name);

// Whether each of these texts (NULL ends them) is somewhere in the table: comments of ours. It parses nothing. 1, 0 or -1.
int table_contains(int family, const char *name, const char *const *texts, struct err *err);

// Opens the table, calls `change` on it, and commits if that returned 1 (0: nothing changed; -1: failed); again where the kernel
// asks for it (EAGAIN). Who calls this holds lock_take's lock. 0 or -1.
int table_change(int family, const char *name, int (*change)(struct table *table, void *arg, struct err *err), void *arg,
		 struct err *err);

// Opens the table and calls `each` for the rules of one chain, if it is there. 0 or -1.
int table_read(int family, const char *name, const char *chain, void (*each)(const struct rule *rule, void *arg), void *arg,
	       struct err *err);

// The next ones are for `change`.
bool table_has_chain(const struct table *table, const char *chain);
int table_add_chain(struct table *table, const char *chain, struct err *err);
int table_append(struct table *table, const char *chain, const struct rule *rule, struct err *err);
int table_prepend(struct table *table, const char *chain, const struct rule *rule, struct err *err);

// Whether a chain has no rules.
bool table_is_empty(const struct table *table, const char *chain);

// Whether a chain has a rule with this very comment.
bool table_has_comment(const struct table *table, const char *chain, const char *comment);

// Calls `each` for the rules of a chain that is there.
void table_each(const struct table *table, const char *chain, void (*each)(const struct rule *rule, void *arg), void *arg);

// Removes the rules of a chain for which `match` is true. Returns how many, or -1.
int table_remove(struct table *table, const char *chain, bool (*match)(const struct rule *rule, void *arg), void *arg,
		 struct err *err);

// Removes a chain that nothing jumps to any more.
int table_drop_chain(struct table *table, const char *chain, struct err *err);
