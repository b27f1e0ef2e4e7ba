// SPDX-License-Identifier: GPL-2.0-or-later
// nft_batch.c - elements of nf_tables sets and maps, made and removed in one transaction, without libnftables
#include "cosonet/nft_batch.h"

#include "cosonet/nft.h"
#include "shared/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	MESSAGE_SIZE = 32 << 10, // an attribute's length has 16 bits
	MESSAGE_FULL = MESSAGE_SIZE - 512,
	COMMENT_TYPE = 0, // NFTNL_UDATA_SET_ELEM_COMMENT
	ANSWER_SIZE = 64 << 10,
};

void nft_value_add(struct nft_value *value, const void *part, size_t size)
{
	size_t whole = (size + 3) & ~(size_t)3;
	if (value->size + whole > sizeof(value->bytes))
		return;
	memcpy(value->bytes + value->size, part, size);
	value->size += whole;
}

static struct nl_msg *message(struct nft_batch *batch, int type, int flags, int family, unsigned int resource)
{
	struct nfgenmsg base = { .nfgen_family = (unsigned char)family,
				 .version = NFNETLINK_V0,
				 .res_id = htons((uint16_t)resource) };
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!msg || !nlmsg_put(msg, 0, ++batch->sequence, type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(msg, &base, sizeof(base), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		batch->broken = true;
		return NULL;
	}
	return msg;
}

static void write_out(struct nft_batch *batch, struct nl_msg *msg)
{
	if (msg && fwrite(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 1, batch->file) != 1)
		batch->broken = true;
	nlmsg_free(msg);
}

static void finish(struct nft_batch *batch)
{
	if (!batch->msg)
		return;
	nla_nest_end(batch->msg, batch->list);
	write_out(batch, batch->msg);
	batch->msg = NULL;
}

int nft_batch_open(struct nft_batch *batch, struct err *err)
{
	*batch = (struct nft_batch){ 0 };
	batch->file = open_memstream(&batch->text, &batch->size);
	if (!batch->file)
		return err_sys(err, "nftables: memory for elements");
	write_out(batch, message(batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	return 0;
}

static void start(struct nft_batch *batch, const struct nft_change *change)
{
	int type = NFNL_SUBSYS_NFTABLES << 8 | (change->create ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
	batch->set = change->set;
	batch->create = change->create;
	batch->msg = message(batch, type, change->create ? NLM_F_CREATE | NLM_F_EXCL : 0, NFPROTO_INET, 0);
	if (!batch->msg)
		return;
	nla_put_string(batch->msg, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	nla_put_string(batch->msg, NFTA_SET_ELEM_LIST_SET, change->set);
	batch->list = nla_nest_start(batch->msg, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
}

static void put_value(struct nl_msg *msg, int type, const struct nft_value *value)
{
	struct nlattr *nest = nla_nest_start(msg, type | NLA_F_NESTED);
	nla_put(msg, NFTA_DATA_VALUE, (int)value->size, value->bytes);
	nla_nest_end(msg, nest);
}

static void put_comment(struct nl_msg *msg, const char *comment)
{
	unsigned char bytes[2 + 128] = { COMMENT_TYPE };
	size_t length = strnlen(comment, 127);
	bytes[1] = (unsigned char)(length + 1);
	memcpy(bytes + 2, comment, length);
	nla_put(msg, NFTA_SET_ELEM_USERDATA, (int)length + 3, bytes);
}

void nft_batch_add(struct nft_batch *batch, const struct nft_change *change)
{
	if (batch->msg && (!str_eq(batch->set, change->set) || batch->create != change->create ||
			   nlmsg_hdr(batch->msg)->nlmsg_len > MESSAGE_FULL))
		finish(batch);
	if (!batch->msg)
		start(batch, change);
	if (!batch->msg)
		return;
	struct nlattr *element = nla_nest_start(batch->msg, NFTA_LIST_ELEM | NLA_F_NESTED);
	put_value(batch->msg, NFTA_SET_ELEM_KEY, &change->key);
	if (change->data.size && change->create)
		put_value(batch->msg, NFTA_SET_ELEM_DATA, &change->data);
	if (change->comment)
		put_comment(batch->msg, change->comment);
	nla_nest_end(batch->msg, element);
}

// The first error of the transaction is why it failed. The answer to the last message ends it.
static int read_answers(struct netlink *nl, unsigned int last, struct err *err)
{
	_Alignas(struct nlmsghdr) static char buffer[ANSWER_SIZE];
	int code = 0;
	for (;;) {
		ssize_t size = recv(nl_socket_get_fd(nl->sock), buffer, sizeof(buffer), 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return err_sys(err, "nftables: read the answer");
		int left = (int)size;
		for (struct nlmsghdr *h = (void *)buffer; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			const struct nlmsgerr *answer = nlmsg_data(h);
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (answer->error && !code)
				code = -answer->error;
			if (h->nlmsg_seq == last || (answer->error && answer->msg.nlmsg_type == NFNL_MSG_BATCH_BEGIN))
				return code ? err_set(err, code, "nftables: %s", strerror(code)) : 0;
		}
	}
}

int nft_batch_commit(struct nft_batch *batch, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	unsigned int last = batch->sequence;
	if (batch->msg) // only the last change is acknowledged; whatever fails is answered anyhow
		nlmsg_hdr(batch->msg)->nlmsg_flags |= NLM_F_ACK;
	finish(batch);
	write_out(batch, message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	bool full = fclose(batch->file) != 0;
	batch->file = NULL;
	if (full || batch->broken)
		return err_set(err, ENOMEM, "nftables: memory for elements");
	if (netlink_open(&nl, NETLINK_NETFILTER, err) < 0)
		return -1;
	int room = (int)batch->size * 2 + ANSWER_SIZE;
	int fd = nl_socket_get_fd(nl.sock);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (send(fd, batch->text, batch->size, 0) < 0)
		return err_sys(err, "nftables: send %zu bytes of elements", batch->size);
	return read_answers(&nl, last, err);
}

void nft_batch_free(struct nft_batch *batch)
{
	nlmsg_free(batch->msg);
	if (batch->file)
		fclose(batch->file);
	free(batch->text);
}
