// SPDX-License-Identifier: GPL-2.0-or-later
// probe_net.c - echo servers and a client, so that a test container needs no other program to show that its network works
#include "tests/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SERVE_SECONDS = 60, ANSWER_MS = 3000 };

static int fail(const char *what)
{
	printf("error=%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static bool parse_port(const char *text, in_port_t *out)
{
	unsigned int port;
	char rest;

	if (sscanf(text, "%5u%c", &port, &rest) != 1 || port > 65535)
		return false;
	*out = htons((in_port_t)port);
	return true;
}

// A socket of both families on all addresses, or of IPv4 alone where the kernel has no IPv6.
static int listen_on(int type, const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in any4 = { .sin_family = AF_INET };
	int on = 1, off = 0;

	if (!parse_port(port, &any.sin6_port)) {
		errno = EINVAL;
		return -1;
	}
	any4.sin_port = any.sin6_port;
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	bool v6 = fd >= 0;
	if (!v6)
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	int bound = v6 ? bind(fd, (struct sockaddr *)&any, sizeof(any)) : bind(fd, (struct sockaddr *)&any4, sizeof(any4));
	if (bound < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void print_peer(const struct sockaddr_storage *peer)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (peer->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)peer)->sin6_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET, &((const struct sockaddr_in *)peer)->sin_addr, text, sizeof(text));
	printf("peer=%s\n", text);
	fflush(stdout);
}

static int serve(int type, const char *port)
{
	char data[2048];
	time_t end = time(NULL) + SERVE_SECONDS;
	int fd = listen_on(type, port);

	if (fd < 0)
		return fail("listen");
	printf("listening=%s\n", port);
	fflush(stdout);
	while (time(NULL) < end) {
		struct sockaddr_storage peer = { 0 };
		socklen_t length = sizeof(peer);
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		if (poll(&wait, 1, 1000) <= 0)
			continue;
		if (type == SOCK_DGRAM) {
			ssize_t size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&peer, &length);
			print_peer(&peer);
			if (size >= 0)
				sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&peer, length);
			continue;
		}
		int client = accept4(fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
		struct timeval limit = { .tv_sec = ANSWER_MS / 1000 };
		if (client < 0)
			continue;
		print_peer(&peer);
		setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		ssize_t size = read(client, data, sizeof(data));
		if (size > 0 && send(client, data, (size_t)size, MSG_NOSIGNAL) < 0)
			fail("send");
		close(client);
	}
	close(fd);
	return 0;
}

int probe_serve_tcp(char **args)
{
	return serve(SOCK_STREAM, args[0]);
}

int probe_serve_udp(char **args)
{
	return serve(SOCK_DGRAM, args[0]);
}

static socklen_t parse_address(const char *host, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	in_port_t number;

	if (!parse_port(port, &number))
		return 0;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = number;
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = number;
		return sizeof(*v6);
	}
	return 0;
}

int probe_send(char **args)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = parse_address(args[1], args[2], &peer);
	struct timeval limit = { .tv_sec = ANSWER_MS / 1000 };
	const char *text = args[3] ? args[3] : "hello";
	char data[2048];

	if (length == 0) {
		fprintf(stderr, "probe: %s %s: not an address and a port\n", args[1], args[2]);
		return 2;
	}
	int fd = socket(peer.ss_family, (strcmp(args[0], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	ssize_t size = -1;
	if (connect(fd, (struct sockaddr *)&peer, length) == 0 && send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
		size = recv(fd, data, sizeof(data), 0);
	if (size < 0)
		fail("send");
	else
		printf("answer=%.*s\n", (int)size, data);
	close(fd);
	return size < 0 ? 1 : 0;
}

// One echo request over a datagram socket, as an ordinary user may where net.ipv4.ping_group_range has their group. icmp(7)
int probe_ping(char **args)
{
	struct sockaddr_storage peer = { 0 };
	socklen_t length = parse_address(args[0], "0", &peer);
	struct timeval limit = { .tv_sec = ANSWER_MS / 1000 };
	bool v6 = peer.ss_family == AF_INET6;
	const unsigned char request[16] = { v6 ? 128 : 8 }; // ICMP_ECHO, ICMP6_ECHO_REQUEST; the kernel fills in the rest
	unsigned char answer[64];

	if (!length) {
		errno = EINVAL;
		return fail("address");
	}
	int fd = socket(peer.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		return fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	bool sent = sendto(fd, request, sizeof(request), 0, (struct sockaddr *)&peer, length) == (ssize_t)sizeof(request);
	bool came = sent && recv(fd, answer, sizeof(answer), 0) == (ssize_t)sizeof(request) && answer[0] == (v6 ? 129 : 0);
	close(fd);
	if (!came)
		return fail(sent ? "answer" : "send");
	printf("pong=%s\n", args[0]);
	return 0;
}
