// SPDX-License-Identifier: GPL-2.0-or-later
// guard.c - a container sends as nobody but itself: what its link to the bridge lets in
//
// Theory of operation. The program is a list of demands, each a load, a comparison and a "drop" that the comparison jumps over; and of
// alternatives ("this address, or else that one"), whose jumps are filled in when it is known where they lead. Only ARP, IPv4 and
// IPv6 pass. Neighbour discovery counts with a hop limit of 255 alone, so what hides it behind an extension header (RFC 7113) is a
// packet with that hop limit and neither TCP, UDP nor ICMPv6 at once.
#include "cosonet/guard.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <string.h>

// Where things are in a frame.
enum {
	FROM_MAC = 6,
	ETHER_TYPE = 12,
	ARP_FORMAT = 14,
	ARP_SIZES = 18,
	ARP_MAC = 22,
	ARP_FROM = 28,
	IP4_START = 14,
	IP4_PROTOCOL = 23,
	IP4_FROM = 26,
	IP4_TO = 30,
	IP6_NEXT = 20,
	IP6_HOPS = 21,
	IP6_FROM = 22,
	IP6_TO = 38,
	IP6_OPTIONS = 54,
	IP6_AFTER_OPTIONS = 62, // as short as they can be: with the router alert of a listener report
	ICMP6_TYPE = 54,
	ICMP6_TARGET = 62,
};

enum { MLD2_LISTENER_REPORT = 143 }; // RFC 3810
enum { HOPS_OF_NEIGHBOURS = 255, PRIORITY = 1, DNS_PORT = 53 };

struct program {
	struct sock_filter *code;
	size_t size;
};

struct jumps {
	size_t at[4];
	size_t count;
};

static void emit(struct program *p, int code, uint32_t value)
{
	p->code[p->size++] = (struct sock_filter){ .code = (uint16_t)code, .k = value };
}

static void load(struct program *p, int width, uint32_t offset)
{
	emit(p, BPF_LD | BPF_ABS | width, offset);
}

static void end(struct program *p, uint32_t verdict)
{
	emit(p, BPF_RET | BPF_K, verdict);
}

// If what was loaded equals (or, with `unless`, doesn't) the value: the verdict.
static void end_if(struct program *p, uint32_t value, bool unless, uint32_t verdict)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value);
	p->code[p->size - 1].jt = unless;
	p->code[p->size - 1].jf = !unless;
	end(p, verdict);
}

static void demand(struct program *p, int width, uint32_t offset, uint32_t value)
{
	load(p, width, offset);
	end_if(p, value, true, TC_ACT_SHOT);
}

// Jumps on a difference, to where otherwise() is called.
static void compare(struct program *p, uint32_t value, struct jumps *jumps)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, value);
	jumps->at[jumps->count++] = p->size - 1;
}

static void otherwise(struct program *p, struct jumps *jumps)
{
	for (size_t i = 0; i < jumps->count; i++)
		p->code[jumps->at[i]].jf = (uint8_t)(p->size - jumps->at[i] - 1);
	jumps->count = 0;
}

static uint32_t word(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void demand_mac(struct program *p, uint32_t offset, const unsigned char mac[LINK_MAC])
{
	demand(p, BPF_W, offset, word(mac));
	demand(p, BPF_H, offset + 4, (uint32_t)mac[4] << 8 | mac[5]);
}

// Goes on if one of the addresses stands there, and drops the frame otherwise.
static void demand_address6(struct program *p, uint32_t offset, const struct in6_addr *list, size_t count)
{
	struct jumps next = { .count = 0 };
	size_t found[4];
	for (size_t i = 0; i < count; i++) {
		for (uint32_t n = 0; n < 16; n += 4) {
			load(p, BPF_W, offset + n);
			compare(p, word(list[i].s6_addr + n), &next);
		}
		found[i] = p->size;
		emit(p, BPF_JMP | BPF_JA, 0);
		otherwise(p, &next);
	}
	end(p, TC_ACT_SHOT);
	for (size_t i = 0; i < count; i++)
		p->code[found[i]].k = (uint32_t)(p->size - found[i] - 1);
}

static void refuse_address6(struct program *p, uint32_t offset, const struct in6_addr *address)
{
	struct jumps another = { .count = 0 };
	for (uint32_t n = 0; n < 16; n += 4) {
		load(p, BPF_W, offset + n);
		compare(p, word(address->s6_addr + n), &another);
	}
	end(p, TC_ACT_SHOT);
	otherwise(p, &another);
}

static void arp(struct program *p, const struct guard_owner *owner)
{
	const uint32_t ethernet_ip4 = 0x00010800, sizes = 0x0604;
	demand(p, BPF_W, ARP_FORMAT, ethernet_ip4);
	demand(p, BPF_H, ARP_SIZES, sizes);
	demand_mac(p, ARP_MAC, owner->mac);
	load(p, BPF_W, ARP_FROM);
	end_if(p, ntohl(owner->address4.addr.v4.s_addr), false, TC_ACT_OK);
	end_if(p, INADDR_ANY, false, TC_ACT_OK); // a probe, RFC 5227
	end(p, TC_ACT_SHOT);
}

// The link-local address that the kernel makes of a MAC address. RFC 4291, appendix A
static struct in6_addr link_local(const unsigned char mac[LINK_MAC])
{
	return (struct in6_addr){ .s6_addr = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5] } };
}

// Nobody needs them where the bridge doesn't snoop, and it would copy each new container's to every other one: 3 ms at 900.
static void listener_reports(struct program *p)
{
	struct jumps not_one = { .count = 0 };
	load(p, BPF_B, IP6_NEXT);
	compare(p, IPPROTO_HOPOPTS, &not_one);
	load(p, BPF_B, IP6_OPTIONS);
	compare(p, IPPROTO_ICMPV6, &not_one);
	load(p, BPF_B, IP6_AFTER_OPTIONS);
	end_if(p, MLD_LISTENER_REPORT, false, TC_ACT_SHOT);
	end_if(p, MLD_LISTENER_REDUCTION, false, TC_ACT_SHOT);
	end_if(p, MLD2_LISTENER_REPORT, false, TC_ACT_SHOT);
	otherwise(p, &not_one);
}

// What leads there is dropped, but for questions to its name server, which is often the host's: no fragment of a datagram passes without
// its first, and that has the port.
static void refuse_metadata4(struct program *p, uint32_t address, uint32_t mask)
{
	struct jumps another = { .count = 0 };
	load(p, BPF_W, IP4_TO);
	emit(p, BPF_ALU | BPF_AND | BPF_K, mask);
	compare(p, address, &another);
	load(p, BPF_B, IP4_PROTOCOL);
	end_if(p, IPPROTO_UDP, true, TC_ACT_SHOT);
	emit(p, BPF_LDX | BPF_MSH | BPF_B, IP4_START);
	emit(p, BPF_LD | BPF_IND | BPF_H, IP4_START + 2); // the port it goes to
	end_if(p, DNS_PORT, true, TC_ACT_SHOT);
	otherwise(p, &another);
}

static void ip4(struct program *p, const struct guard_owner *owner)
{
	demand(p, BPF_W, IP4_FROM, ntohl(owner->address4.addr.v4.s_addr));
	if (owner->no_metadata) {
		refuse_metadata4(p, 0xa9fe0000, 0xffff0000); // link-local, everybody's: a container needs no others of these
		refuse_metadata4(p, 0x646464c8, 0xffffffff); // 100.100.100.200, Alibaba's
		refuse_metadata4(p, 0xa83f8110, 0xffffffff); // 168.63.129.16, Microsoft's
	}
	end(p, TC_ACT_OK);
}

static void ip6(struct program *p, const struct guard_owner *owner)
{
	static const struct in6_addr metadata[] = {
		{ .s6_addr = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54 } },             // Amazon's
		{ .s6_addr = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x00, 0x23 } },             // Amazon's, of pods
		{ .s6_addr = { 0xfd, 0x00, 0x00, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe } }, // Oracle's
		{ .s6_addr = { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, 0x54 } },             // Google's
	};
	const struct in6_addr own[] = { owner->address6.addr.v6, link_local(owner->mac), IN6ADDR_ANY_INIT };
	demand_address6(p, IP6_FROM, own, 3);
	for (size_t i = 0; owner->no_metadata && i < sizeof(metadata) / sizeof(metadata[0]); i++)
		refuse_address6(p, IP6_TO, &metadata[i]);
	listener_reports(p);
	load(p, BPF_B, IP6_HOPS);
	end_if(p, HOPS_OF_NEIGHBOURS, true, TC_ACT_OK);
	load(p, BPF_B, IP6_NEXT);
	end_if(p, IPPROTO_TCP, false, TC_ACT_OK);
	end_if(p, IPPROTO_UDP, false, TC_ACT_OK);
	end_if(p, IPPROTO_ICMPV6, true, TC_ACT_SHOT);
	load(p, BPF_B, ICMP6_TYPE);
	end_if(p, ND_ROUTER_ADVERT, false, TC_ACT_SHOT);
	end_if(p, ND_REDIRECT, false, TC_ACT_SHOT);
	end_if(p, ND_NEIGHBOR_ADVERT, true, TC_ACT_OK);
	demand_address6(p, ICMP6_TARGET, own, 2);
	end(p, TC_ACT_OK);
}

size_t guard_program(const struct guard_owner *owner, struct sock_filter out[GUARD_MOST])
{
	struct program p = { .code = out };
	struct jumps next = { .count = 0 };
	// A VLAN's tag is taken out of the frame before we see it.
	demand(&p, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT), 0);
	demand_mac(&p, FROM_MAC, owner->mac);
	load(&p, BPF_H, ETHER_TYPE);
	compare(&p, ETH_P_ARP, &next);
	arp(&p, owner);
	otherwise(&p, &next);
	compare(&p, ETH_P_IP, &next);
	ip4(&p, owner);
	otherwise(&p, &next);
	if (owner->address6.family) {
		end_if(&p, ETH_P_IPV6, true, TC_ACT_SHOT);
		ip6(&p, owner);
	} else {
		end(&p, TC_ACT_SHOT);
	}
	return p.size;
}

static struct nl_msg *message(int type, const struct tcmsg *base, const char *kind, struct err *err)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_CREATE | NLM_F_EXCL);
	if (!msg || nlmsg_append(msg, (void *)base, sizeof(*base), NLMSG_ALIGNTO) < 0 || nla_put_string(msg, TCA_KIND, kind) < 0) {
		nlmsg_free(msg);
		err_set(err, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	return msg;
}

static int put(struct netlink *nl, int index, const struct program *program, struct err *err)
{
	struct tcmsg base = { .tcm_ifindex = index, .tcm_handle = TC_H_MAKE(TC_H_INGRESS, 0), .tcm_parent = TC_H_INGRESS };
	struct nl_msg *msg = message(RTM_NEWQDISC, &base, "ingress", err);
	if (!msg || netlink_request(nl, msg, err) < 0)
		return -1;
	base = (struct tcmsg){ .tcm_ifindex = index,
			       .tcm_parent = TC_H_MAKE(TC_H_INGRESS, 0),
			       .tcm_info = TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL)) };
	msg = message(RTM_NEWTFILTER, &base, "bpf", err);
	if (!msg)
		return -1;
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);
	nla_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nla_put_u16(msg, TCA_BPF_OPS_LEN, (uint16_t)program->size);
	nla_put(msg, TCA_BPF_OPS, (int)(program->size * sizeof(*program->code)), program->code);
	nla_nest_end(msg, options);
	return netlink_request(nl, msg, err);
}

static bool is_missing(const struct netlink *nl)
{
	return nl->code == EOPNOTSUPP || nl->code == ENOENT;
}

int guard_attach(struct netlink *nl, int index, const struct guard_owner *owner, struct err *err)
{
	struct sock_filter code[GUARD_MOST];
	struct program program = { code, guard_program(owner, code) };
	if (put(nl, index, &program, err) == 0)
		return 1;
	return is_missing(nl) ? 0 : err_wrap(err, "guard link %d", index);
}

int guard_hold(struct netlink *nl, int index, struct err *err)
{
	struct sock_filter code[1];
	struct program program = { .code = code };
	end(&program, TC_ACT_OK);
	if (put(nl, index, &program, err) == 0 || nl->code == EEXIST || is_missing(nl))
		return 0;
	return err_wrap(err, "guard link %d", index);
}
