// SPDX-License-Identifier: GPL-2.0-or-later
// fw_iptc.c - the firewall's back end on legacy tables
//
// Theory of operation. Three chains are ours: COSO-DNAT and COSO-MASQ in "nat", COSO-FORWARD in "filter". One jump leads to each
// from PREROUTING and OUTPUT, from POSTROUTING, and from FORWARD; it is appended, so that rules that were there first are asked
// first. Where Docker runs, the last jump stands in DOCKER-USER instead, which Docker asks before it drops. All bridges share the
// chains; comments tell their rules apart. In COSO-FORWARD what leads *to* a bridge comes before what leads *from* one, or
// containers of one bridge would reach those of another.
#include "cosonet/fw_iptc.h"

#include "cosonet/table.h"
#include "shared/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHAIN_DNAT "COSO-DNAT"
#define CHAIN_MASQ "COSO-MASQ"
#define CHAIN_FORWARD "COSO-FORWARD"
#define CHAIN_DOCKER "DOCKER-USER"
#define JUMP_COMMENT "coso jump"

static const int families[] = { AF_INET, AF_INET6 };

static const struct num_cidr *net_of(const struct fw_net *net, int family)
{
	return family == AF_INET ? &net->net4 : &net->net6;
}

static void set_link(char out[IFNAMSIZ], const char *name)
{
	snprintf(out, IFNAMSIZ, "%s", name);
}

static struct rule bridge_rule(const struct fw_net *net, enum rule_verdict verdict)
{
	struct rule rule = { .verdict = verdict };
	fw_comment(rule.comment, net->bridge, NULL);
	return rule;
}

static struct rule jump_rule(const char *chain)
{
	struct rule rule = { .verdict = RULE_JUMP, .comment = JUMP_COMMENT };
	snprintf(rule.chain, sizeof(rule.chain), "%s", chain);
	return rule;
}

static bool by_sweep(const struct rule *rule, void *arg)
{
	struct fw_owner owner;
	return fw_owner_parse(rule->comment, &owner) && fw_sweep_takes(arg, &owner);
}

static bool is_own(const struct rule *rule, void *arg)
{
	return str_eq(rule->comment, arg);
}

static bool is_jump(const struct rule *rule, void *arg)
{
	(void)arg;
	return str_eq(rule->comment, JUMP_COMMENT);
}

static int need_chain(struct table *table, const char *chain, struct err *err)
{
	return table_has_chain(table, chain) ? 0 : table_add_chain(table, chain, err);
}

static int need_jump(struct table *table, const char *from, const struct rule *jump, struct err *err)
{
	return table_has_comment(table, from, JUMP_COMMENT) ? 0 : table_append(table, from, jump, err);
}

// Removes what this bridge has in the chain, so that what comes next is all of it.
static int clear_own(struct table *table, const char *chain, const struct fw_net *net, struct err *err)
{
	char comment[FW_COMMENT];
	fw_comment(comment, net->bridge, NULL);
	return table_remove(table, chain, is_own, comment, err) < 0 ? -1 : 0;
}

static int change_masquerade(struct table *table, void *arg, struct err *err)
{
	const struct fw_net *net = arg;
	struct rule local = jump_rule(CHAIN_DNAT), masq = jump_rule(CHAIN_MASQ);
	local.local = true;
	if (need_chain(table, CHAIN_DNAT, err) < 0 || need_chain(table, CHAIN_MASQ, err) < 0 ||
	    need_jump(table, "PREROUTING", &local, err) < 0)
		return -1;
	// Loopback addresses stay the host's own (route_localnet would open them to neighbours: CVE-2020-8558).
	num_cidr("loopback", table->family == AF_INET ? "127.0.0.0/8" : "::1/128", &local.destination, NULL);
	local.not_destination = true;
	if (need_jump(table, "OUTPUT", &local, err) < 0 || need_jump(table, "POSTROUTING", &masq, err) < 0 ||
	    clear_own(table, CHAIN_MASQ, net, err) < 0)
		return -1;

	struct rule outside = bridge_rule(net, RULE_MASQUERADE);
	outside.source = *net_of(net, table->family);
	set_link(outside.out, net->bridge);
	struct rule between = outside; // a container that asks for another's published port gets its answer by way of the host
	outside.not_out = true;
	between.state = RULE_TRANSLATED;
	if (table_append(table, CHAIN_MASQ, &outside, err) < 0 || table_append(table, CHAIN_MASQ, &between, err) < 0)
		return -1;
	return 1;
}

static int change_forward(struct table *table, void *arg, struct err *err)
{
	const struct fw_net *net = arg;
	struct rule jump = jump_rule(CHAIN_FORWARD);
	if (need_chain(table, CHAIN_FORWARD, err) < 0 || clear_own(table, CHAIN_FORWARD, net, err) < 0)
		return -1;
	if (!table_has_chain(table, CHAIN_DOCKER)) {
		if (need_jump(table, "FORWARD", &jump, err) < 0)
			return -1;
	} else if (!table_has_comment(table, CHAIN_DOCKER, JUMP_COMMENT)) {
		// Docker's last rule in there is RETURN.
		if (table_remove(table, "FORWARD", is_jump, NULL, err) < 0 || table_prepend(table, CHAIN_DOCKER, &jump, err) < 0)
			return -1;
	}
	struct rule drop = bridge_rule(net, RULE_DROP), from = bridge_rule(net, RULE_ACCEPT);
	set_link(drop.out, net->bridge);
	set_link(from.in, net->bridge);
	struct rule answers = drop, published = drop, neighbours = drop;
	answers.verdict = published.verdict = neighbours.verdict = RULE_ACCEPT;
	answers.state = RULE_ESTABLISHED;
	published.state = RULE_TRANSLATED;
	set_link(neighbours.in, net->bridge); // where br_netfilter shows us what stays on the bridge
	const struct rule *to_bridge[] = { &drop, &neighbours, &published, &answers };
	for (size_t i = 0; i < sizeof(to_bridge) / sizeof(*to_bridge); i++) {
		if (table_prepend(table, CHAIN_FORWARD, to_bridge[i], err) < 0)
			return -1;
	}
	return table_append(table, CHAIN_FORWARD, &from, err) < 0 ? -1 : 1;
}

static int in_each_family(const struct fw_net *net, const char *name, int (*change)(struct table *, void *, struct err *),
			  struct err *err)
{
	for (size_t i = 0; i < 2; i++) {
		if (net_of(net, families[i])->family && table_change(families[i], name, change, (void *)net, err) < 0)
			return -1;
	}
	return 0;
}

static int masquerade(const struct fw_net *net, struct err *err)
{
	return in_each_family(net, "nat", change_masquerade, err);
}

static int forward(const struct fw_net *net, struct err *err)
{
	return in_each_family(net, "filter", change_forward, err);
}

static int ready(const struct fw_net *net, struct err *err)
{
	char comment[FW_COMMENT];
	fw_comment(comment, net->bridge, NULL);
	const char *const texts[] = { comment, JUMP_COMMENT, NULL };
	for (size_t i = 0; i < 2; i++) {
		if (!net_of(net, families[i])->family)
			continue;
		int rc = table_contains(families[i], "nat", texts, err);
		if (rc > 0)
			rc = table_contains(families[i], "filter", texts, err);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

struct publication {
	const struct fw_net *net;
	const struct fw_lease *lease;
	const struct publish_list *list;
};

struct conflict {
	const struct publish_list *list;
	const struct publish *publish; // the first that somebody else has
	int family;
	struct fw_owner owner;
};

static bool collides(const struct rule *rule, const struct publish *p, int family)
{
	if (rule->proto != p->proto || rule->port >= p->host_port + p->count || p->host_port >= rule->port + rule->count)
		return false;
	if (!publish_covers(p, family))
		return false;
	bool one = rule->destination.family && p->address.family && p->address.prefix;
	return !one || memcmp(&rule->destination.addr, &p->address.addr, family == AF_INET ? 4 : 16) == 0;
}

static void look_for_conflict(const struct rule *rule, void *arg)
{
	struct conflict *c = arg;
	for (size_t i = 0; c->list->items && !c->publish && i < c->list->count; i++) {
		if (collides(rule, &c->list->items[i], c->family) && fw_owner_parse(rule->comment, &c->owner))
			c->publish = &c->list->items[i];
	}
}

static struct rule publish_rule(const struct publication *p, const struct publish *publish, int family)
{
	struct rule rule = { .verdict = RULE_DNAT,
			     .proto = publish->proto,
			     .port = publish->host_port,
			     .count = publish->count,
			     .to = family == AF_INET ? p->lease->address4 : p->lease->address6,
			     .to_port = publish->container_port };
	if (publish->address.family && publish->address.prefix)
		rule.destination = publish->address;
	fw_comment(rule.comment, p->net->bridge, p->lease);
	return rule;
}

static int change_publish(struct table *table, void *arg, struct err *err)
{
	const struct publication *p = arg;
	struct fw_sweep stale = { .veth = p->lease->veth, .dead = true };
	if (need_chain(table, CHAIN_DNAT, err) < 0 || table_remove(table, CHAIN_DNAT, by_sweep, &stale, err) < 0)
		return -1;
	struct conflict conflict = { .list = p->list, .family = table->family };
	table_each(table, CHAIN_DNAT, look_for_conflict, &conflict);
	if (conflict.publish)
		return err_set(err, EADDRINUSE, "publish '%s': container '%s' has published that port already",
			       conflict.publish->text, conflict.owner.id);
	for (size_t i = 0; i < p->list->count; i++) {
		struct rule rule = publish_rule(p, &p->list->items[i], table->family);
		if (publish_covers(&p->list->items[i], table->family) && table_append(table, CHAIN_DNAT, &rule, err) < 0)
			return -1;
	}
	return 1;
}

static int change_sweep(struct table *table, void *arg, struct err *err)
{
	static const char *const chains[] = { CHAIN_DNAT, CHAIN_MASQ, CHAIN_FORWARD };
	static const char *const sources[][3] = { { "PREROUTING", "OUTPUT", NULL },
						  { "POSTROUTING", NULL },
						  { "FORWARD", CHAIN_DOCKER, NULL } };
	const struct fw_sweep *sweep = arg;
	bool changed = false, empty = true;
	for (size_t i = 0; i < 3; i++) {
		if (!table_has_chain(table, chains[i]))
			continue;
		int removed = table_remove(table, chains[i], by_sweep, arg, err);
		if (removed < 0)
			return -1;
		changed |= removed > 0;
		empty &= table_is_empty(table, chains[i]);
	}
	// The last bridge takes the chains with it.
	for (size_t i = 0; sweep->everything && empty && i < 3; i++) {
		if (!table_has_chain(table, chains[i]))
			continue;
		for (const char *const *from = sources[i]; *from; from++) {
			if (table_has_chain(table, *from) && table_remove(table, *from, is_jump, NULL, err) < 0)
				return -1;
		}
		if (table_drop_chain(table, chains[i], err) < 0)
			return -1;
		changed = true;
	}
	return changed;
}

static int sweep(const struct fw_sweep *what, struct err *err)
{
	for (size_t i = 0; i < 2; i++) {
		// A table that doesn't exist would be made by looking into it.
		if (table_exists(families[i], "nat") && table_change(families[i], "nat", change_sweep, (void *)what, err) < 0)
			return -1;
		if (what->everything && table_exists(families[i], "filter") &&
		    table_change(families[i], "filter", change_sweep, (void *)what, err) < 0)
			return -1;
	}
	return 0;
}

static int publish(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err)
{
	struct publication publication = { net, lease, list };
	struct fw_sweep undo = { .veth = lease->veth };
	for (size_t i = 0; i < 2; i++) {
		if (!net_of(net, families[i])->family)
			continue;
		if (table_change(families[i], "nat", change_publish, &publication, err) < 0) {
			sweep(&undo, NULL);
			return -1;
		}
	}
	return 0;
}

struct listing {
	const char *bridge;
	void (*each)(const struct fw_port *, void *);
	void *arg;
};

static void list_rule(const struct rule *rule, void *arg)
{
	const struct listing *listing = arg;
	struct fw_owner owner;
	if (rule->verdict != RULE_DNAT || !fw_owner_parse(rule->comment, &owner) || !str_eq(owner.bridge, listing->bridge))
		return;
	struct fw_port port = { .veth = owner.veth,
				.id = owner.id,
				.proto = rule->proto,
				.host = rule->destination,
				.container = rule->to,
				.host_port = rule->port,
				.container_port = rule->to_port,
				.count = rule->count };
	listing->each(&port, listing->arg);
}

static int list(const char *bridge, void (*each)(const struct fw_port *, void *), void *arg, struct err *err)
{
	struct listing listing = { bridge, each, arg };
	for (size_t i = 0; i < 2; i++) {
		if (table_exists(families[i], "nat") && table_read(families[i], "nat", CHAIN_DNAT, list_rule, &listing, err) < 0)
			return -1;
	}
	return 0;
}

const struct fw_ops fw_iptc = { ready, masquerade, forward, publish, sweep, list };
