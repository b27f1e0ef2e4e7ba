// SPDX-License-Identifier: GPL-2.0-or-later
// nft.c - what nf_tables has, asked of the kernel directly
#include "cosonet/nft.h"

#include "cosonet/netlink.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>

static struct nl_msg *message(int type, int family, struct err *err)
{
	return netlink_filter_message(NFNL_SUBSYS_NFTABLES, type, family, err);
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	(void)msg;
	*(bool *)arg = true;
	return NL_OK;
}

bool nft_offered(void)
{
	own_netlink struct netlink nl = { 0 };
	bool any = false;
	if (netlink_open(&nl, NETLINK_NETFILTER, NULL) < 0)
		return false;
	struct nl_msg *msg = message(NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NULL);
	return msg && netlink_dump(&nl, msg, on_answer, &any, NULL) == 0;
}

static int on_rule(struct nl_msg *msg, void *arg)
{
	const struct nfgenmsg *base = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *table = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(*base), NFTA_RULE_TABLE);
	bool ours = base->nfgen_family == NFPROTO_INET && table && str_eq(nla_get_string(table), NFT_TABLE);
	if (!ours)
		*(bool *)arg = true;
	return NL_OK;
}

int nft_has_rules_of_others(struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	bool found = false;
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	struct nl_msg *msg = message(NFT_MSG_GETRULE, NFPROTO_UNSPEC, err);
	if (!msg)
		return -1;
	if (netlink_dump(&nl, msg, on_rule, &found, err) < 0)
		return err_wrap(err, "list the rules of nf_tables");
	return found;
}

int nft_has_chain(int family, const char *table, const char *chain, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	bool found = false;
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	struct nl_msg *msg = message(NFT_MSG_GETCHAIN, family, err);
	if (!msg)
		return -1;
	nla_put_string(msg, NFTA_CHAIN_TABLE, table);
	nla_put_string(msg, NFTA_CHAIN_NAME, chain);
	if (netlink_ask(&nl, msg, on_answer, &found, err) == 0)
		return found;
	if (nl.code == ENOENT || nl.code == EOPNOTSUPP)
		return 0;
	return err_wrap(err, "look up chain '%s' of nf_tables", chain);
}

int nft_has_rule(const char *chain, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	bool found = false;
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	struct nl_msg *msg = message(NFT_MSG_GETRULE, NFPROTO_INET, err);
	if (!msg)
		return -1;
	nla_put_string(msg, NFTA_RULE_TABLE, NFT_TABLE);
	nla_put_string(msg, NFTA_RULE_CHAIN, chain);
	int rc = netlink_dump(&nl, msg, on_answer, &found, err);
	if (rc >= 0 || nl.code == ENOENT || nl.code == EOPNOTSUPP)
		return found;
	return err_wrap(err, "list chain '%s' of nf_tables", chain);
}

static struct nl_msg *elements_message(const char *set, struct err *err)
{
	struct nl_msg *msg = message(NFT_MSG_GETSETELEM, NFPROTO_INET, err);
	if (!msg)
		return NULL;
	nla_put_string(msg, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	nla_put_string(msg, NFTA_SET_ELEM_LIST_SET, set);
	return msg;
}

int nft_has_element(const char *set, const void *key, size_t size, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	bool found = false;
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	struct nl_msg *msg = elements_message(set, err);
	if (!msg)
		return -1;
	struct nlattr *list = nla_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	struct nlattr *element = nla_nest_start(msg, NFTA_LIST_ELEM | NLA_F_NESTED);
	struct nlattr *value = nla_nest_start(msg, NFTA_SET_ELEM_KEY | NLA_F_NESTED);
	nla_put(msg, NFTA_DATA_VALUE, (int)size, key);
	nla_nest_end(msg, value);
	nla_nest_end(msg, element);
	nla_nest_end(msg, list);
	if (netlink_ask(&nl, msg, on_answer, &found, err) == 0)
		return found;
	return nl.code == ENOENT ? 0 : err_wrap(err, "look into set '%s' of nf_tables", set);
}

struct keys {
	void (*each)(const unsigned char *key, size_t size, void *arg);
	void *arg;
};

static int on_elements(struct nl_msg *msg, void *arg)
{
	const struct keys *keys = arg;
	struct nlattr *list = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
	struct nlattr *element;
	int left;
	if (!list)
		return NL_OK;
	nla_for_each_nested(element, list, left)
	{
		struct nlattr *key = nla_find(nla_data(element), nla_len(element), NFTA_SET_ELEM_KEY);
		struct nlattr *value = key ? nla_find(nla_data(key), nla_len(key), NFTA_DATA_VALUE) : NULL;
		if (value)
			keys->each(nla_data(value), (size_t)nla_len(value), keys->arg);
	}
	return NL_OK;
}

int nft_each_key(const char *set, void (*each)(const unsigned char *, size_t, void *), void *arg, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct keys keys = { each, arg };
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	struct nl_msg *msg = elements_message(set, err);
	if (!msg)
		return -1;
	int rc = netlink_dump(&nl, msg, on_elements, &keys, err);
	if (rc >= 0 || nl.code == ENOENT)
		return 0;
	return err_wrap(err, "list set '%s' of nf_tables", set);
}
