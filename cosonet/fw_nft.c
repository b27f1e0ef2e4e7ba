// SPDX-License-Identifier: GPL-2.0-or-later
// fw_nft.c - the firewall's back end on nf_tables
//
// Theory of operation. All is in the table "inet coso". Rules are written once; bridges, networks and published ports are elements
// of its sets and maps, so that a lookup, and an addition, cost the same with one port and with thousands. An element's comment
// names its owner. "create" refuses an element that is there: a port that somebody has, or (set "leases") an address whose
// former owner left ports behind; then the dead are swept and it is tried once more. Our NAT chains come after everybody else's.
// A verdict "accept" ends only our own chain; where Docker drops what it doesn't know, DOCKER-USER gets an accept too.
#include "cosonet/fw_nft.h"

#include "cosonet/ipam.h"
#include "cosonet/nft.h"
#include "cosonet/nft_batch.h"
#include "cosonet/nft_elements.h"
#include "cosonet/nftlib.h"
#include "shared/log.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Text in the nft language that grows.
struct script {
	FILE *file;
	char *text;
	size_t size;
};

static int script_open(struct script *s, struct err *err)
{
	*s = (struct script){ 0 };
	s->file = open_memstream(&s->text, &s->size);
	return s->file ? 0 : err_sys(err, "nftables: memory for commands");
}

static int script_run(struct script *s, struct err *err)
{
	bool full = fclose(s->file) != 0;
	s->file = NULL;
	if (full)
		return err_set(err, ENOMEM, "nftables: memory for commands");
	return s->text[0] ? nftlib_run(s->text, err) : 0;
}

static void script_free(struct script *s)
{
	if (s->file)
		fclose(s->file);
	free(s->text);
}

#define own_script __attribute__((cleanup(script_free)))

static const char table_text[] =
	"add table inet coso\n"
	"add set inet coso links { type ifname; }\n"
	"add map inet coso bridges { type ifname : verdict; }\n"
	"add set inet coso nets4 { type ipv4_addr; flags interval; }\n"
	"add set inet coso nets6 { type ipv6_addr; flags interval; }\n"
	"add set inet coso leases { type ipv4_addr; }\n"
	"add map inet coso any4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"add map inet coso any6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
	"add map inet coso one4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"add map inet coso one6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
	"add chain inet coso publish\n"
	"flush chain inet coso publish\n"
	"add rule inet coso publish dnat ip to ip daddr . meta l4proto . th dport map @one4\n"
	"add rule inet coso publish dnat ip to meta l4proto . th dport map @any4\n"
	"add rule inet coso publish dnat ip6 to ip6 daddr . meta l4proto . th dport map @one6\n"
	"add rule inet coso publish dnat ip6 to meta l4proto . th dport map @any6\n"
	"add chain inet coso prerouting { type nat hook prerouting priority -90; }\n"
	"flush chain inet coso prerouting\n"
	"add rule inet coso prerouting fib daddr type local jump publish\n"
	"add chain inet coso output { type nat hook output priority -90; }\n"
	"flush chain inet coso output\n"
	"add rule inet coso output ip daddr 127.0.0.0/8 return\n"
	"add rule inet coso output ip6 daddr ::1 return\n"
	"add rule inet coso output fib daddr type local jump publish\n"
	"add chain inet coso postrouting { type nat hook postrouting priority 110; }\n"
	"flush chain inet coso postrouting\n"
	"add rule inet coso postrouting ip saddr @nets4 oifname != @links masquerade\n"
	"add rule inet coso postrouting ip6 saddr @nets6 oifname != @links masquerade\n"
	"add rule inet coso postrouting ip saddr @nets4 oifname @links ct status dnat masquerade\n"
	"add rule inet coso postrouting ip6 saddr @nets6 oifname @links ct status dnat masquerade\n"
	"add chain inet coso forward { type filter hook forward priority 10; }\n"
	"flush chain inet coso forward\n"
	"add rule inet coso forward oifname vmap @bridges\n";

static void print_net(FILE *file, const char *set, const char *bridge, const struct num_cidr *net)
{
	char text[RECORD_ADDRESS];
	struct num_cidr base = ipam_address(net, 0);
	if (net->family)
		fprintf(file, "add element inet coso %s { %s comment \"coso %s\" }\n", set, record_cidr(&base, text), bridge);
}

static int masquerade(const struct fw_net *net, struct err *err)
{
	own_script struct script s;
	if (script_open(&s, err) < 0)
		return -1;
	fputs(table_text, s.file);
	fprintf(s.file, "add element inet coso links { \"%s\" }\n", net->bridge);
	print_net(s.file, "nets4", net->bridge, &net->net4);
	print_net(s.file, "nets6", net->bridge, &net->net6);
	return script_run(&s, err);
}

static const struct {
	int family;
	const char *name;
} docker_families[] = { { NFPROTO_IPV4, "ip" }, { NFPROTO_IPV6, "ip6" } };

// Writes commands that remove our rules from DOCKER-USER; *out_there is whether that chain exists.
static int clear_docker(FILE *file, size_t i, const char *bridge, bool *out_there, struct err *err)
{
	own_arena struct arena arena = { 0 };
	char comment[FW_COMMENT];
	int there = nft_has_chain(docker_families[i].family, "filter", "DOCKER-USER", err);
	*out_there = there > 0;
	if (there <= 0)
		return there;
	fw_comment(comment, bridge, NULL);
	const char *command = arena_printf(&arena, "list chain %s filter DOCKER-USER", docker_families[i].name);
	char *json = nftlib_ask(&arena, command, err);
	struct nft_handles handles = { 0 };
	if (!json || nft_elements_handles(&arena, json, comment, &handles, err) < 0)
		return -1;
	for (size_t n = 0; n < handles.count; n++)
		fprintf(file, "delete rule %s filter DOCKER-USER handle %lld\n", docker_families[i].name, handles.items[n]);
	return 0;
}

static int forward(const struct fw_net *net, struct err *err)
{
	own_script struct script s;
	const char *b = net->bridge;
	if (script_open(&s, err) < 0)
		return -1;
	fprintf(s.file, "add chain inet coso to-%s\nflush chain inet coso to-%s\n", b, b);
	fprintf(s.file, "add rule inet coso to-%s iifname \"%s\" accept\n", b, b); // where br_netfilter shows it to us
	fprintf(s.file, "add rule inet coso to-%s ct state established,related accept\n", b);
	fprintf(s.file, "add rule inet coso to-%s ct status dnat accept\n", b);
	fprintf(s.file, "add rule inet coso to-%s drop\n", b);
	fprintf(s.file, "add element inet coso bridges { \"%s\" : jump to-%s }\n", b, b);
	for (size_t i = 0; i < 2; i++) {
		bool there = false;
		if (clear_docker(s.file, i, b, &there, err) < 0)
			return -1;
		if (!there)
			continue;
		log_verbose("Docker drops what it doesn't know: accepting '%s' in %s DOCKER-USER", b, docker_families[i].name);
		fprintf(s.file, "insert rule %s filter DOCKER-USER iifname \"%s\" accept comment \"coso %s\"\n",
			docker_families[i].name, b, b);
		fprintf(s.file, "insert rule %s filter DOCKER-USER oifname \"%s\" accept comment \"coso %s\"\n",
			docker_families[i].name, b, b);
	}
	return script_run(&s, err);
}

static int ready(const struct fw_net *net, struct err *err)
{
	char chain[IFNAMSIZ + 4];
	snprintf(chain, sizeof(chain), "to-%s", net->bridge);
	return nft_has_rule(chain, err); // `nft flush table` leaves chains without rules
}

// Reads all elements that have an owner. No table: none.
static int read_elements(struct arena *arena, struct nft_elements *out, struct err *err)
{
	*out = (struct nft_elements){ 0 };
	int there = nft_has_chain(NFPROTO_INET, NFT_TABLE, "publish", err);
	if (there <= 0)
		return there;
	char *json = nftlib_ask(arena, "list table inet coso", err);
	return json ? nft_elements_parse(arena, json, out, err) : -1;
}

// Writes the commands that take a whole bridge out, and with the last one the table.
static int print_removal(FILE *file, const char *bridge, const struct nft_elements *all, struct err *err)
{
	bool others = false;
	for (size_t i = 0; i < all->bridge_count; i++)
		others |= !str_eq(all->bridges[i], bridge);
	if (!others) {
		fprintf(file, "delete table inet coso\n");
		return 0;
	}
	int there = nft_has_chain(NFPROTO_INET, NFT_TABLE, arena_printf(all->arena, "to-%s", bridge), err);
	if (there <= 0)
		return there;
	fprintf(file, "delete element inet coso links { \"%s\" }\n", bridge);
	fprintf(file, "delete element inet coso bridges { \"%s\" : jump to-%s }\n", bridge, bridge);
	fprintf(file, "delete chain inet coso to-%s\n", bridge);
	return 0;
}

static int sweep(const struct fw_sweep *what, struct err *err)
{
	own_arena struct arena arena = { 0 };
	own_script struct script s;
	struct nft_elements all;
	bool there = false;
	if (script_open(&s, err) < 0 || read_elements(&arena, &all, err) < 0)
		return -1;
	const char *set = NULL; // elements come set by set
	for (size_t i = 0; i < all.count; i++) {
		const struct nft_element *e = &all.items[i];
		if (!fw_sweep_takes(what, &e->owner))
			continue;
		if (!str_eq(set, e->set))
			fprintf(s.file, "%sdelete element inet coso %s { ", set ? " }\n" : "", e->set);
		fprintf(s.file, "%s%s", str_eq(set, e->set) ? ", " : "", e->key);
		set = e->set;
	}
	if (set)
		fputs(" }\n", s.file);
	for (size_t i = 0; what->everything && i < 2; i++) {
		if (clear_docker(s.file, i, what->bridge, &there, err) < 0)
			return -1;
	}
	if (what->everything && all.arena && print_removal(s.file, what->bridge, &all, err) < 0)
		return -1;
	return script_run(&s, err);
}

static bool is_one(const struct publish *p)
{
	return p->address.family && p->address.prefix;
}

static size_t size_of(int family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

static struct nft_value key_of(const struct num_cidr *host, uint8_t proto, unsigned int port)
{
	struct nft_value key = { 0 };
	uint16_t number = htons((uint16_t)port);
	if (host)
		nft_value_add(&key, &host->addr, size_of(host->family));
	nft_value_add(&key, &proto, sizeof(proto));
	nft_value_add(&key, &number, sizeof(number));
	return key;
}

// The map for ports of one address of the host, or of any.
static const char *map_of(bool one, int family)
{
	static const char *const maps[2][2] = { { "any4", "any6" }, { "one4", "one6" } };
	return maps[one][family == AF_INET6];
}

static void add_ports(struct nft_batch *batch, const struct publish_list *list, const struct num_cidr *to, const char *comment)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct publish *p = &list->items[i];
		if (!publish_covers(p, to->family))
			continue;
		for (unsigned int n = 0; n < p->count; n++) {
			struct nft_change change = { .set = map_of(is_one(p), to->family), .create = true, .comment = comment };
			uint16_t into = htons((uint16_t)(p->container_port + n));
			change.key = key_of(is_one(p) ? &p->address : NULL, p->proto, p->host_port + n);
			nft_value_add(&change.data, &to->addr, size_of(to->family));
			nft_value_add(&change.data, &into, sizeof(into));
			nft_batch_add(batch, &change);
		}
	}
}

struct clash {
	const struct publish_list *list;
	int family;
	bool found;
};

// A port of one address that somebody has, against the ports of all addresses that are wanted.
static void look_for_clash(const unsigned char *key, size_t size, void *arg)
{
	struct clash *clash = arg;
	size_t at = size_of(clash->family);
	if (size < at + 8)
		return;
	unsigned int proto = key[at], port = (unsigned int)key[at + 4] << 8 | key[at + 5];
	for (size_t i = 0; i < clash->list->count; i++) {
		const struct publish *p = &clash->list->items[i];
		if (!is_one(p) && publish_covers(p, clash->family) && p->proto == proto && port >= p->host_port &&
		    port < (unsigned int)p->host_port + p->count)
			clash->found = true;
	}
}

// A port of one address and the same port of all addresses collide too, which no map alone would notice. The lock makes this safe.
// 1, 0 or -1.
static int clashes(const struct publish_list *list, int family, struct err *err)
{
	struct clash clash = { list, family, false };
	if (nft_each_key(map_of(true, family), look_for_clash, &clash, err) < 0)
		return -1;
	for (size_t i = 0; !clash.found && i < list->count; i++) {
		const struct publish *p = &list->items[i];
		for (unsigned int n = 0; is_one(p) && p->address.family == family && n < p->count; n++) {
			struct nft_value key = key_of(NULL, p->proto, p->host_port + n);
			int rc = nft_has_element(map_of(false, family), key.bytes, key.size, err);
			if (rc != 0)
				return rc;
		}
	}
	return clash.found;
}

static int try_publish(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err)
{
	own_nft_batch struct nft_batch batch = { 0 };
	const struct num_cidr *const to[] = { &lease->address4, &lease->address6 };
	char comment[FW_COMMENT];
	if (nft_batch_open(&batch, err) < 0)
		return -1;
	fw_comment(comment, net->bridge, lease);
	struct nft_change taken = { .set = "leases", .create = true, .comment = comment };
	nft_value_add(&taken.key, &lease->address4.addr, sizeof(struct in_addr));
	nft_batch_add(&batch, &taken);
	for (size_t i = 0; i < 2; i++) {
		if (!to[i]->family)
			continue;
		int rc = clashes(list, to[i]->family, err);
		if (rc)
			return rc < 0 ? -1 : err_set(err, EEXIST, "nftables: a port is published already");
		add_ports(&batch, list, to[i], comment);
	}
	return nft_batch_commit(&batch, err);
}

// Who has one of these ports, for the message.
static int name_conflict(const struct publish_list *list, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct nft_elements all;
	if (read_elements(&arena, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		const struct fw_port *port = &all.items[i].port;
		for (size_t n = 0; port->count && n < list->count; n++) {
			const struct publish *p = &list->items[n];
			if (p->proto == port->proto && port->host_port >= p->host_port && port->host_port < p->host_port + p->count)
				return err_set(err, EADDRINUSE, "publish '%s': container '%s' has published that port already",
					       p->text, all.items[i].owner.id);
		}
	}
	return err_set(err, EADDRINUSE, "publish '%s': another container has published that port already", list->items[0].text);
}

static int publish(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err)
{
	struct fw_sweep stale = { .veth = lease->veth, .dead = true };
	struct err first = { 0 };
	if (try_publish(net, lease, list, &first) == 0)
		return 0;
	if (first.code != EEXIST) {
		if (err)
			*err = first;
		return -1;
	}
	if (sweep(&stale, err) < 0)
		return -1;
	if (try_publish(net, lease, list, &first) == 0)
		return 0;
	if (first.code == EEXIST)
		return name_conflict(list, err);
	if (err)
		*err = first;
	return -1;
}

static int list(const char *bridge, void (*each)(const struct fw_port *, void *), void *arg, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct nft_elements all;
	if (read_elements(&arena, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].port.count && str_eq(all.items[i].owner.bridge, bridge))
			each(&all.items[i].port, arg);
	}
	return 0;
}

const struct fw_ops fw_nft = { ready, masquerade, forward, publish, sweep, list };
