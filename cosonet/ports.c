// SPDX-License-Identifier: GPL-2.0-or-later
// ports.c - whether the ports that are to be published can be
#include "cosonet/ports.h"

#include "cosonet/addr.h"
#include "shared/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool is_loopback(const struct num_cidr *address)
{
	if (address->family == AF_INET)
		return ntohl(address->addr.v4.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->addr.v6);
}

static int check_address(struct netlink *nl, const struct publish *p, bool ipv6, struct err *err)
{
	bool local = false;
	int index = 0;
	if (p->address.family == AF_INET6 && !ipv6)
		return err_set(err, EAFNOSUPPORT, "publish '%s': the bridge has no IPv6", p->text);
	if (!p->address.family || !p->address.prefix)
		return 0;
	if (is_loopback(&p->address))
		return err_set(err, EINVAL,
			       "publish '%s': a loopback address isn't reached by a packet filter: give one of the host's "
			       "other addresses, or none",
			       p->text);
	if (addr_lookup(nl, &p->address, &local, &index, err) < 0)
		return -1;
	if (!local)
		return err_set(err, EADDRNOTAVAIL, "publish '%s': the address isn't one of this host's (ip address shows them)",
			       p->text);
	return 0;
}

static socklen_t fill(const struct publish *p, int family, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	out->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		struct sockaddr_in *in = (void *)out;
		in->sin_port = htons(port);
		if (p->address.family)
			in->sin_addr = p->address.addr.v4;
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (void *)out;
	in6->sin6_port = htons(port);
	if (p->address.family)
		in6->sin6_addr = p->address.addr.v6;
	return sizeof(*in6);
}

// Binding is the one question that the kernel answers for every socket, whoever owns it. Nothing else is lost to a rule that takes
// the port's packets away: a program that has bound it would go deaf without a word.
static int check_port(const struct publish *p, int family, uint16_t port, struct err *err)
{
	struct sockaddr_storage address;
	int type = p->proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	own_fd int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int one = 1, only6 = p->address.family == AF_INET6;
	if (fd < 0)
		return err_sys(err, "publish '%s': socket", p->text);
	if (type == SOCK_STREAM) // connections that have ended and still wait are no obstacle
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof(only6));
	socklen_t length = fill(p, family, port, &address);
	if (bind(fd, (const void *)&address, length) == 0)
		return 0;
	if (errno == EADDRINUSE)
		return err_set(err, EADDRINUSE,
			       "publish '%s': a program of this host uses port %u/%s (ss -ln shows it): end it, or "
			       "publish another port",
			       p->text, port, publish_proto_name(p));
	return err_sys(err, "publish '%s': port %u", p->text, port);
}

int ports_check(struct netlink *nl, const struct publish_list *list, bool ipv6, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct publish *p = &list->items[i];
		if (check_address(nl, p, ipv6, err) < 0)
			return -1;
		int family = p->address.family ? p->address.family : ipv6 ? AF_INET6 : AF_INET;
		for (unsigned int n = 0; n < p->count; n++) {
			if (check_port(p, family, (uint16_t)(p->host_port + n), err) < 0)
				return -1;
		}
	}
	return 0;
}
