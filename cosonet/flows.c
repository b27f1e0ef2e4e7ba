// SPDX-License-Identifier: GPL-2.0-or-later
// flows.c - forgets flows to published ports, by ctnetlink
#include "cosonet/flows.h"

#include "cosonet/addr.h"
#include "shared/arena.h"
#include "shared/log.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <string.h>

struct end {
	struct num_cidr from, to;
	uint8_t proto;
	uint16_t port; // of `to`
};

struct flow {
	struct nlattr *tuple; // as the kernel told it
	int family;
};

struct search {
	struct arena *arena;
	struct netlink *route;
	const struct fw_net *net;
	const struct publish_list *list;
	struct flow *items;
	size_t count;
};

static bool read_address(struct nlattr *const attrs[], int family, bool to, struct num_cidr *out)
{
	const struct nlattr *attr =
		attrs[family == AF_INET ? (to ? CTA_IP_V4_DST : CTA_IP_V4_SRC) : (to ? CTA_IP_V6_DST : CTA_IP_V6_SRC)];
	*out = (struct num_cidr){ .family = family, .prefix = family == AF_INET ? 32 : 128 };
	if (!attr || nla_len(attr) != (family == AF_INET ? 4 : 16))
		return false;
	memcpy(&out->addr, nla_data(attr), (size_t)nla_len(attr));
	return true;
}

static bool read_end(struct nlattr *tuple, int family, struct end *out)
{
	struct nlattr *parts[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
	if (!tuple || nla_parse_nested(parts, CTA_TUPLE_MAX, tuple, NULL) < 0 || !parts[CTA_TUPLE_IP] || !parts[CTA_TUPLE_PROTO] ||
	    nla_parse_nested(ip, CTA_IP_MAX, parts[CTA_TUPLE_IP], NULL) < 0 ||
	    nla_parse_nested(proto, CTA_PROTO_MAX, parts[CTA_TUPLE_PROTO], NULL) < 0 || !proto[CTA_PROTO_NUM])
		return false;
	out->proto = nla_get_u8(proto[CTA_PROTO_NUM]);
	out->port = proto[CTA_PROTO_DST_PORT] ? ntohs(nla_get_u16(proto[CTA_PROTO_DST_PORT])) : 0;
	return read_address(ip, family, false, &out->from) && read_address(ip, family, true, &out->to);
}

static bool holds(const struct num_cidr *net, const struct num_cidr *address)
{
	return net->family == address->family && num_same_bits(&net->addr, &address->addr, net->prefix);
}

static bool is_published(const struct publish_list *list, const struct end *asked)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct publish *p = &list->items[i];
		bool there = publish_covers(p, asked->to.family) &&
			     (!p->address.family || !p->address.prefix || holds(&p->address, &asked->to));
		if (there && p->proto == asked->proto && asked->port >= p->host_port && asked->port - p->host_port < p->count)
			return true;
	}
	return false;
}

// `answered`: what comes back, from whom it really leads to. What only passes through is none of ours.
static bool is_ours(const struct search *s, const struct end *asked, const struct end *answered)
{
	const struct num_cidr *net = asked->to.family == AF_INET ? &s->net->net4 : &s->net->net6;
	bool local = false;
	int index;
	if (!holds(&answered->from, &asked->to))
		return holds(net, &answered->from);
	return addr_lookup(s->route, &asked->to, &local, &index, NULL) == 0 && local;
}

static int on_flow(struct nl_msg *msg, void *arg)
{
	struct search *s = arg;
	struct nlattr *attrs[CTA_MAX + 1];
	struct end asked, answered;
	const struct nfgenmsg *base = nlmsg_data(nlmsg_hdr(msg));
	int family = base->nfgen_family;
	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(*base), attrs, CTA_MAX, NULL) < 0 || (family != AF_INET && family != AF_INET6) ||
	    !read_end(attrs[CTA_TUPLE_ORIG], family, &asked) || asked.proto != IPPROTO_UDP || !is_published(s->list, &asked) ||
	    !read_end(attrs[CTA_TUPLE_REPLY], family, &answered) || !is_ours(s, &asked, &answered))
		return NL_OK;
	s->items = arena_grow(s->arena, s->items, s->count, sizeof(*s->items));
	struct nlattr *copy = arena_alloc(s->arena, (size_t)nla_total_size(nla_len(attrs[CTA_TUPLE_ORIG])));
	memcpy(copy, attrs[CTA_TUPLE_ORIG], (size_t)nla_attr_size(nla_len(attrs[CTA_TUPLE_ORIG])));
	s->items[s->count++] = (struct flow){ copy, family };
	return NL_OK;
}

static struct nl_msg *message(int type, int family, struct err *err)
{
	return netlink_filter_message(NFNL_SUBSYS_CTNETLINK, type, family, err);
}

// Without its tuple the message would forget all.
static int forget(struct netlink *nl, const struct flow *flow, struct err *err)
{
	struct nl_msg *msg = message(IPCTNL_MSG_CT_DELETE, flow->family, err);
	if (!msg || nla_put(msg, CTA_TUPLE_ORIG | NLA_F_NESTED, nla_len(flow->tuple), nla_data(flow->tuple)) < 0) {
		nlmsg_free(msg);
		return err_set(err, ENOMEM, "netlink: out of memory");
	}
	return netlink_request(nl, msg, err) == 0 || nl->code == ENOENT ? 0 : -1; // ENOENT: it ended meanwhile
}

static int forget_all(struct search *search, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct nl_msg *msg = netlink_open(&nl, NETLINK_NETFILTER, err) < 0 ? NULL : message(IPCTNL_MSG_CT_GET, AF_UNSPEC, err);
	if (!msg || netlink_dump(&nl, msg, on_flow, search, err) < 0)
		return -1;
	int result = 0;
	for (size_t i = 0; i < search->count; i++)
		result = forget(&nl, &search->items[i], err) < 0 ? -1 : result;
	return result;
}

void flows_forget(struct netlink *route, const struct fw_net *net, const struct publish_list *list)
{
	own_arena struct arena arena = { 0 };
	struct search search = { .arena = &arena, .route = route, .net = net, .list = list };
	struct err why;
	bool udp = false;
	for (size_t i = 0; i < list->count; i++)
		udp |= list->items[i].proto == IPPROTO_UDP;
	if (udp && forget_all(&search, &why) < 0)
		log_verbose("UDP flows to published ports stay as they are: %s (CONFIG_NF_CT_NETLINK)", why.msg);
}
