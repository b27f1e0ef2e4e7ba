// SPDX-License-Identifier: GPL-2.0-or-later
// rule.c - a rule of a legacy table: what we say, and the bytes that the kernel takes (pure)
#include "cosonet/rule.h"

#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdio.h>
#include <string.h>

#define XT_ADDRTYPE_LOCAL_BIT (1U << 2) // RTN_LOCAL; xt_addrtype.h names it in an enum that some releases lack

struct place {
	unsigned char *bytes;
	size_t size;
};

static size_t entry_size(int family)
{
	return family == AF_INET ? sizeof(struct ipt_entry) : sizeof(struct ip6t_entry);
}

static size_t target_offset(const void *entry, int family)
{
	return family == AF_INET ? ((const struct ipt_entry *)entry)->target_offset :
				   ((const struct ip6t_entry *)entry)->target_offset;
}

static void *add_match(struct place *place, const char *name, uint8_t revision, size_t data)
{
	struct xt_entry_match *match = (void *)(place->bytes + place->size);
	match->u.user.match_size = (uint16_t)XT_ALIGN(sizeof(*match) + data);
	match->u.user.revision = revision;
	snprintf(match->u.user.name, sizeof(match->u.user.name), "%s", name);
	place->size += match->u.user.match_size;
	return match->data;
}

static void *add_target(struct place *place, const char *name, uint8_t revision, size_t data)
{
	struct xt_entry_target *target = (void *)(place->bytes + place->size);
	target->u.user.target_size = (uint16_t)XT_ALIGN(sizeof(*target) + data);
	target->u.user.revision = revision;
	snprintf(target->u.user.name, sizeof(target->u.user.name), "%s", name);
	place->size += target->u.user.target_size;
	return target->data;
}

// Host bits are cleared: iptables prints a rule with host bits in a way that it can't read back.
static void set_address(const struct num_cidr *cidr, void *address, void *mask, size_t size)
{
	const unsigned char *from = (const void *)&cidr->addr;
	unsigned char *to = address, *bits = mask;
	for (size_t i = 0; i < size; i++) {
		unsigned int left = cidr->prefix > 8 * i ? cidr->prefix - 8 * (unsigned int)i : 0;
		bits[i] = (unsigned char)(left >= 8 ? 0xff : 0xff00U >> left);
		to[i] = from[i] & bits[i];
	}
}

static void set_link(const char *name, char *out, unsigned char *mask)
{
	size_t length = strnlen(name, IFNAMSIZ - 1);
	if (!length)
		return;
	memcpy(out, name, length + 1);
	memset(mask, 0xff, length + 1); // the NUL counts: an exact match
}

static void encode_header4(const struct rule *rule, struct ipt_ip *ip)
{
	if (rule->source.family)
		set_address(&rule->source, &ip->src, &ip->smsk, 4);
	if (rule->destination.family)
		set_address(&rule->destination, &ip->dst, &ip->dmsk, 4);
	set_link(rule->in, ip->iniface, ip->iniface_mask);
	set_link(rule->out, ip->outiface, ip->outiface_mask);
	ip->proto = rule->proto;
	ip->invflags = (uint8_t)((rule->not_out ? IPT_INV_VIA_OUT : 0) | (rule->not_destination ? IPT_INV_DSTIP : 0));
}

static void encode_header6(const struct rule *rule, struct ip6t_ip6 *ip)
{
	if (rule->source.family)
		set_address(&rule->source, &ip->src, &ip->smsk, 16);
	if (rule->destination.family)
		set_address(&rule->destination, &ip->dst, &ip->dmsk, 16);
	set_link(rule->in, ip->iniface, ip->iniface_mask);
	set_link(rule->out, ip->outiface, ip->outiface_mask);
	ip->proto = rule->proto;
	ip->flags = rule->proto ? IP6T_F_PROTO : 0;
	ip->invflags = (uint8_t)((rule->not_out ? IP6T_INV_VIA_OUT : 0) | (rule->not_destination ? IP6T_INV_DSTIP : 0));
}

static void encode_ports(const struct rule *rule, struct place *place)
{
	uint16_t last = (uint16_t)(rule->port + rule->count - 1);
	if (rule->proto == IPPROTO_TCP) {
		struct xt_tcp *tcp = add_match(place, "tcp", 0, sizeof(*tcp));
		tcp->spts[1] = 65535;
		tcp->dpts[0] = rule->port;
		tcp->dpts[1] = last;
	} else {
		struct xt_udp *udp = add_match(place, "udp", 0, sizeof(*udp));
		udp->spts[1] = 65535;
		udp->dpts[0] = rule->port;
		udp->dpts[1] = last;
	}
}

static void encode_matches(const struct rule *rule, struct place *place)
{
	if (rule->count)
		encode_ports(rule, place);
	if (rule->local) {
		struct xt_addrtype_info_v1 *type = add_match(place, "addrtype", 1, sizeof(*type));
		type->dest = XT_ADDRTYPE_LOCAL_BIT;
	}
	if (rule->state != RULE_ANY_STATE) {
		struct xt_conntrack_mtinfo3 *track = add_match(place, "conntrack", 3, sizeof(*track));
		track->match_flags = XT_CONNTRACK_STATE;
		if (rule->state == RULE_TRANSLATED)
			track->state_mask = XT_CONNTRACK_STATE_DNAT;
		else
			track->state_mask = XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED);
	}
	if (rule->comment[0]) {
		struct xt_comment_info *comment = add_match(place, "comment", 0, sizeof(*comment));
		snprintf(comment->comment, sizeof(comment->comment), "%s", rule->comment);
	}
}

static void encode_dnat(const struct rule *rule, int family, struct place *place)
{
	struct nf_nat_range2 *range = add_target(place, "DNAT", 2, sizeof(*range));
	size_t size = family == AF_INET ? 4 : 16;
	range->flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
	memcpy(&range->min_addr, &rule->to.addr, size);
	range->max_addr = range->min_addr;
	range->min_proto.all = htons(rule->to_port);
	range->max_proto.all = htons((uint16_t)(rule->to_port + rule->count - 1));
	if (rule->count > 1) { // the n-th port leads to the n-th port; Linux 4.18
		range->flags |= NF_NAT_RANGE_PROTO_OFFSET;
		range->base_proto.all = htons(rule->port);
	}
}

static void encode_target(const struct rule *rule, int family, struct place *place)
{
	switch (rule->verdict) {
	case RULE_DNAT:
		encode_dnat(rule, family, place);
		break;
	case RULE_MASQUERADE:
		if (family == AF_INET) {
			struct nf_nat_ipv4_multi_range_compat *range = add_target(place, "MASQUERADE", 0, sizeof(*range));
			range->rangesize = 1;
		} else {
			add_target(place, "MASQUERADE", 0, sizeof(struct nf_nat_range));
		}
		break;
	case RULE_JUMP:
		add_target(place, rule->chain, 0, sizeof(int));
		break;
	case RULE_DROP:
		add_target(place, IPTC_LABEL_DROP, 0, sizeof(int));
		break;
	case RULE_ACCEPT:
	case RULE_OTHER:
		add_target(place, IPTC_LABEL_ACCEPT, 0, sizeof(int));
		break;
	}
}

size_t rule_encode(const struct rule *rule, int family, unsigned char out[RULE_MAX])
{
	struct place place = { out, entry_size(family) };
	memset(out, 0, RULE_MAX);
	if (family == AF_INET)
		encode_header4(rule, &((struct ipt_entry *)(void *)out)->ip);
	else
		encode_header6(rule, &((struct ip6t_entry *)(void *)out)->ipv6);
	encode_matches(rule, &place);
	uint16_t target = (uint16_t)place.size;
	encode_target(rule, family, &place);
	if (family == AF_INET) {
		((struct ipt_entry *)(void *)out)->target_offset = target;
		((struct ipt_entry *)(void *)out)->next_offset = (uint16_t)place.size;
	} else {
		((struct ip6t_entry *)(void *)out)->target_offset = target;
		((struct ip6t_entry *)(void *)out)->next_offset = (uint16_t)place.size;
	}
	return place.size;
}

static const struct xt_entry_match *find_match(const void *entry, int family, const char *name)
{
	size_t end = target_offset(entry, family);
	for (size_t at = entry_size(family); at + sizeof(struct xt_entry_match) <= end;) {
		const struct xt_entry_match *match = (const void *)((const unsigned char *)entry + at);
		if (strcmp(match->u.user.name, name) == 0)
			return match;
		if (match->u.match_size < sizeof(*match))
			return NULL;
		at += match->u.match_size;
	}
	return NULL;
}

const char *rule_comment(const void *entry, int family)
{
	const struct xt_entry_match *match = find_match(entry, family, "comment");
	return match ? ((const struct xt_comment_info *)(const void *)match->data)->comment : "";
}

static unsigned int prefix_of(const unsigned char *mask, size_t size)
{
	unsigned int bits = 0;
	while (bits < 8 * size && mask[bits / 8] & 0x80 >> bits % 8)
		bits++;
	return bits;
}

static void decode_destination(const void *entry, int family, struct rule *out)
{
	const struct ipt_entry *four = entry;
	const struct ip6t_entry *six = entry;
	size_t size = family == AF_INET ? 4 : 16;
	const void *address = family == AF_INET ? (const void *)&four->ip.dst : (const void *)&six->ipv6.dst;
	const void *mask = family == AF_INET ? (const void *)&four->ip.dmsk : (const void *)&six->ipv6.dmsk;
	out->proto = (uint8_t)(family == AF_INET ? four->ip.proto : six->ipv6.proto);
	unsigned int prefix = prefix_of(mask, size);
	if (!prefix)
		return;
	out->destination.family = family;
	out->destination.prefix = prefix;
	memcpy(&out->destination.addr, address, size);
}

void rule_decode(const void *entry, int family, struct rule *out)
{
	*out = (struct rule){ .verdict = RULE_OTHER };
	decode_destination(entry, family, out);
	snprintf(out->comment, sizeof(out->comment), "%s", rule_comment(entry, family));
	const struct xt_entry_match *ports = find_match(entry, family, out->proto == IPPROTO_TCP ? "tcp" : "udp");
	if (ports) { // both structures begin with the ports
		const struct xt_udp *udp = (const void *)ports->data;
		out->port = udp->dpts[0];
		out->count = (uint16_t)(udp->dpts[1] - udp->dpts[0] + 1);
	}
	const struct xt_entry_target *target = (const void *)((const unsigned char *)entry + target_offset(entry, family));
	if (strcmp(target->u.user.name, "DNAT") != 0 || target->u.user.revision != 2)
		return;
	const struct nf_nat_range2 *range = (const void *)target->data;
	out->verdict = RULE_DNAT;
	out->to.family = family;
	out->to.prefix = family == AF_INET ? 32 : 128;
	memcpy(&out->to.addr, &range->min_addr, family == AF_INET ? 4 : 16);
	out->to_port = ntohs(range->min_proto.all);
}
