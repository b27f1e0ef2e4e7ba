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
#include "cosonet/nft_elements.h"
#include "cosonet/nftlib.h"
#include "shared/log.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
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
	*s = (struct script){0};
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
} docker_families[] = {{NFPROTO_IPV4, "ip"}, {NFPROTO_IPV6, "ip6"}};

// Writes commands that remove our rules from DOCKER-USER; *out_there is whether that chain exists.
static int clear_docker(FILE *file, size_t i, const char *bridge, bool *out_there, struct err *err)
{
	own_arena struct arena arena = {0};
	char comment[FW_COMMENT];
	int there = nft_has_chain(docker_families[i].family, "filter", "DOCKER-USER", err);
	*out_there = there > 0;
	if (there <= 0)
		return there;
	fw_comment(comment, bridge, NULL);
	const char *command = arena_printf(&arena, "list chain %s filter DOCKER-USER", docker_families[i].name);
	char *json = nftlib_ask(&arena, command, err);
	struct nft_handles handles = {0};
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
		fprintf(s.file, "insert rule %s filter DOCKER-USER iifname \"%s\" accept comment \"coso %s\"\n", docker_families[i].name,
			b, b);
		fprintf(s.file, "insert rule %s filter DOCKER-USER oifname \"%s\" accept comment \"coso %s\"\n", docker_families[i].name,
			b, b);
	}
	return script_run(&s, err);
}

static int ready(const struct fw_net *net, struct err *err)
{
	char chain[IFNAMSIZ + 4];
	snprintf(chain, sizeof(chain), "to-%s", net->bridge);
	return nft_has_chain(NFPROTO_INET, NFT_TABLE, chain, err);
}

// Reads all elements that have an owner. No table: none.
static int read_elements(struct arena *arena, struct nft_elements *out, struct err *err)
{
	*out = (struct nft_elements){0};
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
	own_arena struct arena arena = {0};
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

struct locals { // this host's own addresses
	struct num_cidr *items;
	size_t count;
};

static bool is_loopback(const struct num_cidr *address)
{
	if (address->family == AF_INET)
		return ntohl(address->addr.v4.s_addr) >> 24 == 127;
	return address->family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->addr.v6);
}

static struct locals read_locals(struct arena *arena)
{
	struct locals list = {0};
	struct ifaddrs *all = NULL;
	if (getifaddrs(&all) < 0)
		return list;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
		int family = one->ifa_addr ? one->ifa_addr->sa_family : 0;
		struct num_cidr address = {.family = family == AF_INET || family == AF_INET6 ? family : 0};
		if (address.family == AF_INET)
			address.addr.v4 = ((const struct sockaddr_in *)(const void *)one->ifa_addr)->sin_addr;
		else if (address.family == AF_INET6)
			address.addr.v6 = ((const struct sockaddr_in6 *)(const void *)one->ifa_addr)->sin6_addr;
		if (is_loopback(&address) || !address.family)
			continue;
		list.items = arena_grow(arena, list.items, list.count, sizeof(address));
		list.items[list.count++] = address;
	}
	freeifaddrs(all);
	return list;
}

// Elements of one map go into one command: libnftables spends its time on commands.
struct batch {
	FILE *file;
	const char *verb, *map;
	int family;
	bool begun;
};

static void batch_next(struct batch *batch)
{
	if (batch->begun)
		fputs(", ", batch->file);
	else
		fprintf(batch->file, "%s element inet coso %s%c { ", batch->verb, batch->map, batch->family == AF_INET ? '4' : '6');
	batch->begun = true;
}

static void batch_end(struct batch *batch)
{
	if (batch->begun)
		fputs(" }\n", batch->file);
}

static bool is_one(const struct publish *p)
{
	return p->address.family && p->address.prefix;
}

static void print_ports(FILE *file, const struct publish_list *list, bool one, const struct num_cidr *to, const char *comment)
{
	struct batch batch = {.file = file, .verb = "create", .map = one ? "one" : "any", .family = to->family};
	char host[RECORD_ADDRESS], container[RECORD_ADDRESS];
	record_host(to, container);
	for (size_t i = 0; i < list->count; i++) {
		const struct publish *p = &list->items[i];
		if (is_one(p) != one || !publish_covers(p, to->family))
			continue;
		for (unsigned int n = 0; n < p->count; n++) {
			batch_next(&batch);
			fprintf(file, "%s%s%s . %u comment \"%s\" : %s . %u", one ? record_host(&p->address, host) : "", one ? " . " : "",
				publish_proto_name(p), p->host_port + n, comment, container, p->container_port + n);
		}
	}
	batch_end(&batch);
}

static void print_guard(struct batch *batch, const struct publish *p, const char *before)
{
	bool create = str_eq(batch->verb, "create");
	for (unsigned int n = 0; n < p->count; n++) {
		batch_next(batch);
		fprintf(batch->file, "%s%s . %u", before, publish_proto_name(p), p->host_port + n);
		if (create)
			fprintf(batch->file, " : %s . 1", batch->family == AF_INET ? "0.0.0.0" : "::");
	}
}

// A port of one address and the same port of all addresses collide too, which no map alone would notice. Making and removing the
// other map's elements in the same transaction fails if one is there, and changes nothing if none is.
static void print_guards(FILE *file, const char *verb, const struct publish_list *list, int family, const struct locals *locals)
{
	struct batch any = {file, verb, "any", family, false}, one = {file, verb, "one", family, false};
	char before[RECORD_ADDRESS + 4], host[RECORD_ADDRESS];
	for (size_t i = 0; i < list->count; i++) {
		if (is_one(&list->items[i]) && publish_covers(&list->items[i], family))
			print_guard(&any, &list->items[i], "");
	}
	batch_end(&any);
	for (size_t i = 0; i < list->count; i++) {
		if (is_one(&list->items[i]) || !publish_covers(&list->items[i], family))
			continue;
		for (size_t n = 0; n < locals->count; n++) {
			snprintf(before, sizeof(before), "%s . ", record_host(&locals->items[n], host));
			if (locals->items[n].family == family)
				print_guard(&one, &list->items[i], before);
		}
	}
	batch_end(&one);
}

static int try_publish(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err)
{
	own_script struct script s;
	own_arena struct arena arena = {0};
	struct locals locals = read_locals(&arena);
	char comment[FW_COMMENT], address[RECORD_ADDRESS];
	if (script_open(&s, err) < 0)
		return -1;
	fw_comment(comment, net->bridge, lease);
	fprintf(s.file, "create element inet coso leases { %s comment \"%s\" }\n", record_host(&lease->address4, address), comment);
	for (size_t i = 0; i < 2; i++) {
		const struct num_cidr *to = i ? &lease->address6 : &lease->address4;
		if (!to->family)
			continue;
		print_guards(s.file, "create", list, to->family, &locals);
		print_guards(s.file, "delete", list, to->family, &locals);
		print_ports(s.file, list, true, to, comment);
		print_ports(s.file, list, false, to, comment);
	}
	return script_run(&s, err);
}

// Who has one of these ports, for the message.
static int name_conflict(const struct publish_list *list, struct err *err)
{
	own_arena struct arena arena = {0};
	struct nft_elements all;
	if (read_elements(&arena, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		const struct fw_port *port = &all.items[i].port;
		for (size_t n = 0; port->count && n < list->count; n++) {
			const struct publish *p = &list->items[n];
			if (p->proto == port->proto && port->host_port >= p->host_port && port->host_port < p->host_port + p->count)
				return err_set(err, EADDRINUSE, "publish '%s': container '%s' has published that port already", p->text,
					       all.items[i].owner.id);
		}
	}
	return err_set(err, EADDRINUSE, "publish '%s': another container has published that port already", list->items[0].text);
}

static int publish(const struct fw_net *net, const struct fw_lease *lease, const struct publish_list *list, struct err *err)
{
	struct fw_sweep stale = {.veth = lease->veth, .dead = true};
	struct err first = {0};
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
	own_arena struct arena arena = {0};
	struct nft_elements all;
	if (read_elements(&arena, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.count; i++) {
		if (all.items[i].port.count && str_eq(all.items[i].owner.bridge, bridge))
			each(&all.items[i].port, arg);
	}
	return 0;
}

const struct fw_ops fw_nft = {ready, masquerade, forward, publish, sweep, list};
