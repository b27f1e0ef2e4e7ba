// SPDX-License-Identifier: GPL-2.0-or-later
// netlink.c - a netlink socket that keeps what the kernel really said: its errno and its own words (extended ack)
#include "cosonet/netlink.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

// libnl folds errno values into fewer codes of its own (EXFULL is lost); this sees the message before that happens.
static int record_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	(void)from;
	struct netlink *nl = arg;
	nl->code = -error->error;
	const struct nlmsghdr *header = (const void *)((const char *)error - NLMSG_HDRLEN);
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) || header->nlmsg_len <= NLMSG_HDRLEN + sizeof(*error))
		return NL_STOP;
	// NETLINK_CAP_ACK is on: the request's payload isn't repeated, so the attributes follow at once.
	const struct nlattr *attr =
		nla_find((const void *)(error + 1), (int)(header->nlmsg_len - NLMSG_HDRLEN - sizeof(*error)), NLMSGERR_ATTR_MSG);
	if (attr)
		nla_strlcpy(nl->text, attr, sizeof(nl->text));
	return NL_STOP;
}

int netlink_error(int libnl_code, struct err *err)
{
	return err_set(err, EINVAL, "netlink: %s", nl_geterror(libnl_code));
}

int netlink_open(struct netlink *nl, int protocol, struct err *err)
{
	*nl = (struct netlink){ 0 };
	struct nl_sock *sock = nl_socket_alloc();
	if (!sock)
		return err_set(err, ENOMEM, "netlink socket: out of memory");
	int rc = nl_connect(sock, protocol);
	if (rc < 0) {
		nl_socket_free(sock);
		return err_set(err, errno, "netlink socket: %s", nl_geterror(rc));
	}
	int one = 1;
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	nl_socket_disable_auto_ack(sock); // netlink_ask has an answer instead
	nl->sock = sock;
	nl_socket_modify_err_cb(sock, NL_CB_CUSTOM, record_error, nl);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	if (nl->sock)
		nl_socket_free(nl->sock);
	nl->sock = NULL;
}

static int failed(struct netlink *nl, int rc, struct err *err)
{
	if (!nl->code)
		return netlink_error(rc, err);
	if (nl->text[0])
		return err_set(err, nl->code, "%s (%s)", strerror(nl->code), nl->text);
	return err_set(err, nl->code, "%s", strerror(nl->code));
}

int netlink_request(struct netlink *nl, struct nl_msg *msg, struct err *err)
{
	nl->code = 0;
	nl->text[0] = 0;
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	int rc = nl_send_auto(nl->sock, msg);
	nlmsg_free(msg);
	if (rc >= 0)
		rc = nl_wait_for_ack(nl->sock);
	return rc < 0 ? failed(nl, rc, err) : 0;
}

static int receive(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nl_msg *, void *), void *arg, struct err *err)
{
	nl->code = 0;
	nl->text[0] = 0;
	int rc = nl_send_auto(nl->sock, msg);
	nlmsg_free(msg);
	if (rc < 0)
		return netlink_error(rc, err);
	struct nl_cb *own = nl_socket_get_cb(nl->sock), *cb = nl_cb_clone(own);
	nl_cb_put(own); // it was given with a reference
	if (!cb)
		return err_set(err, ENOMEM, "netlink: out of memory");
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, each, arg);
	rc = nl_recvmsgs(nl->sock, cb);
	nl_cb_put(cb);
	nl->interrupted = rc == -NLE_DUMP_INTR;
	return rc < 0 ? failed(nl, rc, err) : 0;
}

int netlink_ask(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nl_msg *, void *), void *arg, struct err *err)
{
	// Without NLM_F_ACK either the answer or an error comes, and nothing more.
	return receive(nl, msg, each, arg, err);
}

int netlink_dump(struct netlink *nl, struct nl_msg *msg, int (*each)(struct nl_msg *, void *), void *arg, struct err *err)
{
	nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_DUMP;
	int rc = receive(nl, msg, each, arg, err);
	return rc < 0 && nl->interrupted ? 1 : rc;
}

struct nl_msg *netlink_filter_message(int subsystem, int type, int family, struct err *err)
{
	struct nfgenmsg base = { .nfgen_family = (unsigned char)family, .version = NFNETLINK_V0 };
	struct nl_msg *msg = nlmsg_alloc_simple(subsystem << 8 | type, 0);
	if (!msg || nlmsg_append(msg, &base, sizeof(base), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		err_set(err, ENOMEM, "netlink: out of memory");
		return NULL;
	}
	return msg;
}
