// SPDX-License-Identifier: GPL-2.0-or-later
// ipam.c - which address a container may have, and the link name that stands for having it (pure)
#include "cosonet/ipam.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { SPLIT_LEAST = 256 }; // addresses a network needs for its pool to be halved

uint32_t ipam_hash(const char *text)
{
	uint32_t hash = 2166136261U;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

static uint32_t mask_of(unsigned int prefix)
{
	return prefix ? ~0U << (32 - prefix) : 0;
}

bool ipam_is_split(const struct num_cidr *gateway)
{
	return ~mask_of(gateway->prefix) + 1ULL >= SPLIT_LEAST;
}

struct ipam_pool ipam_pool(const struct num_cidr *gateway, bool publishes)
{
	uint32_t broadcast = ~mask_of(gateway->prefix);
	struct ipam_pool pool = { .first = 1, .last = broadcast - 1, .gateway = ipam_host(gateway, gateway) };
	uint32_t middle = broadcast / 2 + 1;
	if (ipam_is_split(gateway) && publishes)
		pool.first = middle;
	else if (ipam_is_split(gateway))
		pool.last = middle - 1;
	return pool;
}

uint32_t ipam_count(const struct ipam_pool *pool)
{
	uint32_t size = pool->last - pool->first + 1;
	return pool->gateway >= pool->first && pool->gateway <= pool->last ? size - 1 : size;
}

uint32_t ipam_candidate(const struct ipam_pool *pool, const char *id, uint32_t n)
{
	uint32_t count = ipam_count(pool);
	if (n >= count)
		return 0;
	uint32_t host = pool->first + (uint32_t)(((uint64_t)ipam_hash(id) + n) % count);
	bool inside = pool->gateway >= pool->first && pool->gateway <= pool->last;
	return inside && host >= pool->gateway ? host + 1 : host; // the gateway's place is stepped over
}

struct num_cidr ipam_address(const struct num_cidr *gateway, uint32_t host)
{
	struct num_cidr address = *gateway;
	if (gateway->family == AF_INET) {
		address.addr.v4.s_addr = htonl((ntohl(gateway->addr.v4.s_addr) & mask_of(gateway->prefix)) + host);
		return address;
	}
	unsigned char *bytes = address.addr.v6.s6_addr;
	for (unsigned int bit = gateway->prefix; bit < 128; bit++)
		bytes[bit / 8] = (unsigned char)(bytes[bit / 8] & ~(0x80U >> bit % 8));
	for (int i = 0; i < 4; i++)
		bytes[15 - i] = (unsigned char)(bytes[15 - i] | (host >> 8 * i & 0xff));
	return address;
}

uint32_t ipam_host(const struct num_cidr *gateway, const struct num_cidr *address)
{
	uint32_t mask = mask_of(gateway->prefix);
	if (gateway->family != AF_INET || address->family != AF_INET)
		return 0;
	if ((ntohl(gateway->addr.v4.s_addr) & mask) != (ntohl(address->addr.v4.s_addr) & mask))
		return 0;
	return ntohl(address->addr.v4.s_addr) & ~mask;
}

static void bridge_tag(char out[6], const char *bridge)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint32_t hash = ipam_hash(bridge);
	for (int i = 0; i < 5; i++, hash /= 36)
		out[i] = digits[hash % 36];
	out[5] = 0;
}

void ipam_lease_name(char out[IFNAMSIZ], const char *bridge, struct in_addr address)
{
	char tag[6];
	bridge_tag(tag, bridge);
	snprintf(out, IFNAMSIZ, "co%s%08x", tag, ntohl(address.s_addr));
}

bool ipam_lease_parse(const char *name, const char *bridge, struct in_addr *out)
{
	char tag[6], expected[IFNAMSIZ];
	uint32_t value = 0;
	bridge_tag(tag, bridge);
	if (strlen(name) != IFNAMSIZ - 1 || strncmp(name, "co", 2) != 0 || strncmp(name + 2, tag, 5) != 0)
		return false;
	for (const char *c = name + 7; *c; c++) {
		if (*c >= '0' && *c <= '9')
			value = value << 4 | (uint32_t)(*c - '0');
		else if (*c >= 'a' && *c <= 'f')
			value = value << 4 | (uint32_t)(*c - 'a' + 10);
		else
			return false;
	}
	ipam_lease_name(expected, bridge, (struct in_addr){ htonl(value) });
	if (strcmp(name, expected) != 0)
		return false;
	out->s_addr = htonl(value);
	return true;
}
