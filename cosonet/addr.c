// SPDX-License-Identifier: GPL-2.0-or-later
// addr.c - addresses and routes
#include "cosonet/addr.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/route.h>
#include <string.h>

enum { TRIES = 5 };

static int size_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

int addr_add(struct netlink *nl, int index, const struct num_cidr *address, struct err *err)
{
	struct rtnl_addr *object = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(address->family, &address->addr, (size_t)size_of(address->family));
	struct nl_msg *msg = NULL;
	int rc = -NLE_NOMEM;
	if (object && local) {
		nl_addr_set_prefixlen(local, (int)address->prefix);
		rtnl_addr_set_ifindex(object, index);
		rtnl_addr_set_local(object, local);
		if (address->family == AF_INET6)
			rtnl_addr_set_flags(object, IFA_F_NODAD);
		rc = rtnl_addr_build_add_request(object, NLM_F_CREATE | NLM_F_EXCL, &msg);
	}
	nl_addr_put(local);
	rtnl_addr_put(object);
	if (rc < 0)
		return netlink_error(rc, err);
	if (netlink_request(nl, msg, err) == 0 || nl->code == EEXIST)
		return 0;
	return err_wrap(err, "add the %s address", address->family == AF_INET ? "IPv4" : "IPv6");
}

struct listing {
	struct arena *arena;
	int index;
	struct addr_list list;
};

static int on_address(struct nl_msg *msg, void *arg)
{
	struct listing *l = arg;
	struct nlattr *attrs[IFA_MAX + 1];
	const struct ifaddrmsg *base = nlmsg_data(nlmsg_hdr(msg));
	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWADDR || nlmsg_parse(nlmsg_hdr(msg), sizeof(*base), attrs, IFA_MAX, NULL) < 0)
		return NL_OK;
	uint32_t flags = attrs[IFA_FLAGS] ? nla_get_u32(attrs[IFA_FLAGS]) : base->ifa_flags;
	const struct nlattr *address = attrs[IFA_ADDRESS], *local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : address;
	if ((int)base->ifa_index != l->index || base->ifa_scope != RT_SCOPE_UNIVERSE || !(flags & IFA_F_PERMANENT) || !address)
		return NL_OK;
	struct addr_kept kept = { .family = base->ifa_family, .prefix = base->ifa_prefixlen, .flags = flags };
	if (nla_len(address) > (int)sizeof(kept.address) || nla_len(local) != nla_len(address))
		return NL_OK;
	kept.size = (unsigned char)nla_len(address);
	memcpy(kept.address, nla_data(address), kept.size);
	memcpy(kept.local, nla_data(local), kept.size);
	if (attrs[IFA_BROADCAST] && nla_len(attrs[IFA_BROADCAST]) == sizeof(kept.broadcast))
		memcpy(kept.broadcast, nla_data(attrs[IFA_BROADCAST]), sizeof(kept.broadcast));
	if (attrs[IFA_RT_PRIORITY])
		kept.priority = nla_get_u32(attrs[IFA_RT_PRIORITY]);
	l->list.items = arena_grow(l->arena, l->list.items, l->list.count, sizeof(kept));
	l->list.items[l->list.count++] = kept;
	return NL_OK;
}

static struct nl_msg *address_message(int type, int flags, const struct ifaddrmsg *base, struct err *err)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	if (!msg || nlmsg_append(msg, (void *)base, sizeof(*base), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		err_set(err, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	return msg;
}

int addr_list(struct netlink *nl, struct arena *arena, int index, struct addr_list *out, struct err *err)
{
	for (int try = 0; try < TRIES; try++) {
		struct listing listing = { .arena = arena, .index = index };
		struct ifaddrmsg base = { .ifa_family = AF_UNSPEC };
		struct nl_msg *msg = address_message(RTM_GETADDR, 0, &base, err);
		int rc = msg ? netlink_dump(nl, msg, on_address, &listing, err) : -1;
		if (rc < 0)
			return err_wrap(err, "list addresses");
		*out = listing.list;
		if (rc == 0)
			return 0;
	}
	return err_set(err, EBUSY, "list addresses: they change all the while");
}

int addr_restore(struct netlink *nl, int index, const struct addr_kept *a, struct err *err)
{
	const uint32_t kept = IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
	static const unsigned char none[sizeof(a->broadcast)];
	struct ifaddrmsg base = {
		.ifa_family = a->family,
		.ifa_prefixlen = a->prefix,
		.ifa_scope = RT_SCOPE_UNIVERSE,
		.ifa_index = (unsigned int)index,
	};
	struct nl_msg *msg = address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &base, err);
	if (!msg)
		return -1;
	nla_put(msg, IFA_LOCAL, a->size, a->local);
	nla_put(msg, IFA_ADDRESS, a->size, a->address);
	nla_put_u32(msg, IFA_FLAGS, (a->flags & kept) | (a->family == AF_INET6 ? IFA_F_NODAD : 0));
	if (memcmp(a->broadcast, none, sizeof(none)) != 0)
		nla_put(msg, IFA_BROADCAST, sizeof(a->broadcast), a->broadcast);
	if (a->priority)
		nla_put_u32(msg, IFA_RT_PRIORITY, a->priority);
	if (netlink_request(nl, msg, err) == 0 || nl->code == EEXIST)
		return 0;
	return err_wrap(err, "add an address again");
}

static struct nl_msg *route_message(int type, int flags, const struct rtmsg *base, struct err *err)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	if (!msg || nlmsg_append(msg, (void *)base, sizeof(*base), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		err_set(err, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	return msg;
}

int addr_route_default(struct netlink *nl, int index, const struct num_cidr *gateway, struct err *err)
{
	struct rtmsg base = { .rtm_family = (unsigned char)gateway->family,
			      .rtm_table = RT_TABLE_MAIN,
			      .rtm_protocol = RTPROT_STATIC,
			      .rtm_scope = RT_SCOPE_UNIVERSE,
			      .rtm_type = RTN_UNICAST };
	struct nl_msg *msg = route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &base, err);
	if (!msg)
		return -1;
	nla_put(msg, RTA_GATEWAY, size_of(gateway->family), &gateway->addr);
	nla_put_u32(msg, RTA_OIF, (uint32_t)index);
	if (netlink_request(nl, msg, err) < 0)
		return err_wrap(err, "add the default %s route", gateway->family == AF_INET ? "IPv4" : "IPv6");
	return 0;
}

struct answer {
	unsigned char type;
	int index;
};

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct answer *answer = arg;
	const struct rtmsg *base = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *attr = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(*base), RTA_OIF);
	answer->type = base->rtm_type;
	answer->index = attr ? (int)nla_get_u32(attr) : 0;
	return NL_OK;
}

int addr_lookup(struct netlink *nl, const struct num_cidr *address, bool *out_local, int *out_index, struct err *err)
{
	struct answer answer = { 0 };
	unsigned char bits = address->family == AF_INET ? 32 : 128;
	struct rtmsg base = { .rtm_family = (unsigned char)address->family, .rtm_dst_len = bits };
	struct nl_msg *msg = route_message(RTM_GETROUTE, 0, &base, err);
	if (!msg)
		return -1;
	nla_put(msg, RTA_DST, size_of(address->family), &address->addr);
	int rc = netlink_ask(nl, msg, on_answer, &answer, err);
	bool no_way = rc < 0 && (nl->code == ENETUNREACH || nl->code == EHOSTUNREACH || nl->code == EACCES || nl->code == EINVAL);
	if (rc < 0 && !no_way)
		return err_wrap(err, "look up a route");
	*out_local = answer.type == RTN_LOCAL || answer.type == RTN_ANYCAST;
	*out_index = no_way ? 0 : answer.index;
	return 0;
}

struct overlap {
	const struct num_cidr *net;
	int ignore, index;
	struct num_cidr route;
	bool found;
};

static int on_route(struct nl_msg *msg, void *arg)
{
	struct overlap *o = arg;
	const struct rtmsg *base = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *attrs[RTA_MAX + 1];
	if (nlmsg_parse(nlmsg_hdr(msg), sizeof(*base), attrs, RTA_MAX, NULL) < 0 || !attrs[RTA_DST] || o->found)
		return NL_OK;
	int index = attrs[RTA_OIF] ? (int)nla_get_u32(attrs[RTA_OIF]) : 0;
	bool whole = base->rtm_dst_len < (base->rtm_family == AF_INET ? 8 : 16);
	bool counts = base->rtm_type == RTN_UNICAST && !whole && base->rtm_family == o->net->family && index != o->ignore;
	if (!counts || nla_len(attrs[RTA_DST]) != size_of(base->rtm_family))
		return NL_OK;
	unsigned int bits = base->rtm_dst_len < o->net->prefix ? base->rtm_dst_len : o->net->prefix;
	if (!num_same_bits(nla_data(attrs[RTA_DST]), &o->net->addr, bits))
		return NL_OK;
	o->found = true;
	o->index = index;
	o->route = (struct num_cidr){ .family = base->rtm_family, .prefix = base->rtm_dst_len };
	memcpy(&o->route.addr, nla_data(attrs[RTA_DST]), (size_t)nla_len(attrs[RTA_DST]));
	return NL_OK;
}

int addr_overlap(struct netlink *nl, const struct num_cidr *net, int ignore, struct num_cidr *out_route, int *out_index,
		 struct err *err)
{
	struct overlap overlap = { .net = net, .ignore = ignore };
	struct rtmsg base = { .rtm_family = (unsigned char)net->family };
	struct nl_msg *msg = route_message(RTM_GETROUTE, 0, &base, err);
	if (!msg)
		return -1;
	if (netlink_dump(nl, msg, on_route, &overlap, err) < 0)
		return err_wrap(err, "list routes");
	if (!overlap.found)
		return 0;
	*out_route = overlap.route;
	*out_index = overlap.index;
	return 1;
}
