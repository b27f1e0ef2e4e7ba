// SPDX-License-Identifier: GPL-2.0-or-later
// link.c - links of the kernel: looked up, made, changed, removed
#include "cosonet/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <stdio.h>
#include <string.h>

static void free_link(struct rtnl_link **link)
{
	rtnl_link_put(*link);
}

#define own_link __attribute__((cleanup(free_link)))

static struct nl_msg *message(int type, int flags, int index, struct err *err)
{
	struct ifinfomsg info = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		err_set(err, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	return msg;
}

static void parse_names(struct nlattr *list, struct link *link)
{
	struct nlattr *attr;
	int left;
	nla_for_each_nested(attr, list, left)
	{
		if (nla_type(attr) == IFLA_ALT_IFNAME && nla_len(attr) <= IFNAMSIZ)
			nla_strlcpy(link->other, attr, sizeof(link->other));
	}
}

static int parse_link(struct nlmsghdr *header, struct link *out)
{
	static struct nla_policy policy[IFLA_MAX + 1] = { [IFLA_MTU] = { .type = NLA_U32 }, [IFLA_MASTER] = { .type = NLA_U32 } };
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct link link = { 0 };
	if (nlmsg_parse(header, sizeof(struct ifinfomsg), attrs, IFLA_MAX, policy) < 0 || !attrs[IFLA_IFNAME])
		return -1;
	const struct ifinfomsg *base = nlmsg_data(header);
	link.index = base->ifi_index;
	link.up = base->ifi_flags & IFF_UP;
	nla_strlcpy(link.name, attrs[IFLA_IFNAME], sizeof(link.name));
	if (attrs[IFLA_MTU])
		link.mtu = nla_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_MASTER])
		link.master = (int)nla_get_u32(attrs[IFLA_MASTER]);
	if (attrs[IFLA_ADDRESS])
		nla_memcpy(link.mac, attrs[IFLA_ADDRESS], sizeof(link.mac));
	if (attrs[IFLA_IFALIAS])
		nla_strlcpy(link.alias, attrs[IFLA_IFALIAS], sizeof(link.alias));
	if (attrs[IFLA_PROP_LIST])
		parse_names(attrs[IFLA_PROP_LIST], &link);
	if (attrs[IFLA_LINKINFO] && nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) == 0 && info[IFLA_INFO_KIND])
		nla_strlcpy(link.kind, info[IFLA_INFO_KIND], sizeof(link.kind));
	*out = link;
	return 0;
}

struct walk {
	void (*each)(const struct link *link, void *arg);
	void *arg;
};

static int on_link(struct nl_msg *msg, void *arg)
{
	struct walk *walk = arg;
	struct link link;
	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWLINK && parse_link(nlmsg_hdr(msg), &link) == 0)
		walk->each(&link, walk->arg);
	return NL_OK;
}

int link_each(struct netlink *nl, void (*each)(const struct link *, void *), void *arg, struct err *err)
{
	struct walk walk = { each, arg };
	struct nl_msg *msg = message(RTM_GETLINK, 0, 0, err);
	if (!msg)
		return -1;
	// Statistics are most of an answer's bytes.
	nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	int rc = netlink_dump(nl, msg, on_link, &walk, err);
	return rc < 0 ? err_wrap(err, "list links") : rc;
}

static void keep_link(const struct link *link, void *arg)
{
	*(struct link *)arg = *link;
}

int link_find(struct netlink *nl, const char *name, struct link *out, struct err *err)
{
	struct link found = { 0 };
	struct walk walk = { keep_link, &found };
	struct nl_msg *msg = message(RTM_GETLINK, 0, 0, err);
	if (!msg)
		return -1;
	nla_put_string(msg, IFLA_IFNAME, name);
	nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (netlink_ask(nl, msg, on_link, &walk, err) < 0)
		return nl->code == ENODEV ? 0 : err_wrap(err, "look up link '%s'", name);
	if (!found.index)
		return 0;
	*out = found;
	return 1;
}

int link_create_bridge(struct netlink *nl, const char *name, const unsigned char mac[LINK_MAC], struct err *err)
{
	struct nl_msg *msg = message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, err);
	if (!msg)
		return -1;
	nla_put_string(msg, IFLA_IFNAME, name);
	nla_put(msg, IFLA_ADDRESS, LINK_MAC, mac);
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = nla_nest_start(msg, IFLA_INFO_DATA);
	// Snooping costs timers at every port, and loses IPv6 neighbour discovery where no querier answers.
	nla_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	if (netlink_request(nl, msg, err) < 0)
		return err_wrap(err, "make bridge '%s'", name);
	return 0;
}

static int set_mac(struct rtnl_link *link, const unsigned char mac[LINK_MAC])
{
	struct nl_addr *address = nl_addr_build(AF_LLC, mac, LINK_MAC);
	if (!address)
		return -1;
	rtnl_link_set_addr(link, address);
	nl_addr_put(address);
	return 0;
}

int link_create_veth(struct netlink *nl, const struct link_veth *veth, struct err *err)
{
	struct rtnl_link *host = rtnl_link_veth_alloc();
	if (!host)
		return err_set(err, ENOMEM, "netlink: out of memory");
	own_link struct rtnl_link *owned = host;
	struct rtnl_link *peer = rtnl_link_veth_get_peer(host); // a reference of our own
	own_link struct rtnl_link *owned_peer = peer;
	struct nl_msg *msg = NULL;

	rtnl_link_set_name(host, veth->name);
	rtnl_link_set_mtu(host, veth->mtu);
	rtnl_link_set_master(host, veth->bridge);
	rtnl_link_set_flags(host, IFF_UP);
	rtnl_link_set_name(peer, veth->peer);
	rtnl_link_set_mtu(peer, veth->mtu);
	rtnl_link_set_ns_fd(peer, veth->netns);
	static const unsigned char none[LINK_MAC];
	if (memcmp(veth->mac, none, LINK_MAC) != 0 && set_mac(peer, veth->mac) < 0)
		return err_set(err, ENOMEM, "netlink: out of memory");
	int rc = rtnl_link_build_add_request(host, NLM_F_CREATE | NLM_F_EXCL, &msg);
	if (rc < 0)
		return netlink_error(rc, err);
	if (netlink_request(nl, msg, err) < 0)
		return err_wrap(err, "make link '%s'", veth->name);
	return 0;
}

int link_move(struct netlink *nl, int index, int netns, const char *name, struct err *err)
{
	struct nl_msg *msg = message(RTM_SETLINK, 0, index, err);
	if (!msg)
		return -1;
	nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)netns);
	nla_put_string(msg, IFLA_IFNAME, name);
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "move link %d as '%s'", index, name) : 0;
}

int link_set_up(struct netlink *nl, int index, struct err *err)
{
	struct nl_msg *msg = message(RTM_SETLINK, 0, index, err);
	if (!msg)
		return -1;
	struct ifinfomsg *info = nlmsg_data(nlmsg_hdr(msg));
	info->ifi_flags = info->ifi_change = IFF_UP;
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "bring link %d up", index) : 0;
}

int link_set_mtu(struct netlink *nl, int index, unsigned int mtu, struct err *err)
{
	struct nl_msg *msg = message(RTM_SETLINK, 0, index, err);
	if (!msg)
		return -1;
	nla_put_u32(msg, IFLA_MTU, mtu);
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "set the MTU of link %d to %u", index, mtu) : 0;
}

int link_set_alias(struct netlink *nl, int index, const char *alias, struct err *err)
{
	struct nl_msg *msg = message(RTM_SETLINK, 0, index, err);
	if (!msg)
		return -1;
	nla_put(msg, IFLA_IFALIAS, (int)strlen(alias) + 1, alias);
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "write the alias of link %d", index) : 0;
}

int link_add_name(struct netlink *nl, int index, const char *name, struct err *err)
{
	struct nl_msg *msg = message(RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, index, err);
	if (!msg)
		return -1;
	struct nlattr *list = nla_nest_start(msg, IFLA_PROP_LIST | NLA_F_NESTED);
	nla_put_string(msg, IFLA_ALT_IFNAME, name);
	nla_nest_end(msg, list);
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "name link %d '%s'", index, name) : 0;
}

int link_set_hairpin(struct netlink *nl, int index, struct err *err)
{
	struct nl_msg *msg = message(RTM_SETLINK, 0, index, err);
	if (!msg)
		return -1;
	struct ifinfomsg *info = nlmsg_data(nlmsg_hdr(msg));
	info->ifi_family = AF_BRIDGE;
	struct nlattr *port = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
	nla_put_u8(msg, IFLA_BRPORT_MODE, 1);
	nla_nest_end(msg, port);
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "let link %d hear itself", index) : 0;
}

int link_delete(struct netlink *nl, int index, struct err *err)
{
	struct nl_msg *msg = message(RTM_DELLINK, 0, index, err);
	if (!msg)
		return -1;
	return netlink_request(nl, msg, err) < 0 ? err_wrap(err, "remove link %d", index) : 0;
}
