// SPDX-License-Identifier: GPL-2.0-or-later
// publish.c - what COSO_PUBLISH says: ports of the host that lead into the container (pure)
#include "cosonet/publish.h"

#include "shared/str.h"

#include <errno.h>
#include <string.h>

enum { PUBLISH_MOST = 65536 };

static int refuse(const char *text, struct err *err, const char *reason)
{
	return err_set(err, EINVAL, "COSO_PUBLISH: '%.100s': %s (expected [ip:]host[-end]:container[-end][/tcp|/udp])", text,
		       reason);
}

// "80" or "8000-8010".
static int parse_range(const char *text, const char *whole, uint16_t *out_first, uint16_t *out_count, struct err *err)
{
	char first[16], *dash;
	uint64_t low = 0, high = 0;
	if (strlen(text) >= sizeof(first))
		return refuse(whole, err, "not a port");
	memcpy(first, text, strlen(text) + 1);
	dash = strchr(first, '-');
	if (dash)
		*dash = 0;
	if (num_u64("COSO_PUBLISH: port", first, 1, 65535, &low, err) < 0)
		return err_hint(err, "in '%.100s'", whole);
	high = low;
	if (dash && num_u64("COSO_PUBLISH: port", dash + 1, 1, 65535, &high, err) < 0)
		return err_hint(err, "in '%.100s'", whole);
	if (high < low)
		return refuse(whole, err, "the range ends before it begins");
	*out_first = (uint16_t)low;
	*out_count = (uint16_t)(high - low + 1);
	return 0;
}

static int parse_address(char *text, const char *whole, struct num_cidr *out, struct err *err)
{
	size_t length = strlen(text);
	if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
		text[length - 1] = 0;
		text++;
	} else if (strchr(text, ':')) {
		return refuse(whole, err, "an IPv6 address goes in brackets");
	}
	if (strchr(text, '/'))
		return refuse(whole, err, "an address, not a network, goes before the port");
	if (num_cidr("COSO_PUBLISH: address", text, out, err) < 0)
		return err_hint(err, "in '%.100s'", whole);
	static const struct in6_addr zero;
	bool any = out->family == AF_INET ? !out->addr.v4.s_addr : !memcmp(&out->addr.v6, &zero, sizeof(zero));
	if (any && out->family == AF_INET)
		out->prefix = 0; // 0.0.0.0: every address, but of IPv4 alone
	if (any && out->family == AF_INET6)
		out->prefix = 0;
	return 0;
}

static int parse_one(struct arena *arena, const char *text, struct publish *out, struct err *err)
{
	struct publish p = { .text = text, .proto = IPPROTO_TCP };
	char *copy = arena_strdup(arena, text);
	char *slash = strrchr(copy, '/');
	uint16_t inside = 0;
	if (slash) {
		*slash = 0;
		if (str_eq(slash + 1, "udp"))
			p.proto = IPPROTO_UDP;
		else if (!str_eq(slash + 1, "tcp"))
			return refuse(text, err, "the protocol is neither tcp nor udp");
	}
	char *container = strrchr(copy, ':');
	if (!container)
		return refuse(text, err, "a port of the host and a port of the container, with ':' between them, are needed");
	*container++ = 0;
	char *host = strrchr(copy, ':');
	if (host) {
		*host++ = 0;
		if (parse_address(copy, text, &p.address, err) < 0)
			return -1;
	} else {
		host = copy;
	}
	if (parse_range(host, text, &p.host_port, &p.count, err) < 0 ||
	    parse_range(container, text, &p.container_port, &inside, err) < 0)
		return -1;
	if (inside != p.count)
		return refuse(text, err, "the two ranges differ in length");
	*out = p;
	return 0;
}

static bool same_address(const struct num_cidr *a, const struct num_cidr *b)
{
	if (!a->family || !b->family)
		return true;
	if (a->family != b->family)
		return false;
	if (!a->prefix || !b->prefix)
		return true;
	size_t size = a->family == AF_INET ? sizeof(a->addr.v4) : sizeof(a->addr.v6);
	return memcmp(&a->addr, &b->addr, size) == 0;
}

static bool overlaps(const struct publish *a, const struct publish *b)
{
	return a->proto == b->proto && same_address(&a->address, &b->address) && a->host_port < b->host_port + b->count &&
	       b->host_port < a->host_port + a->count;
}

int publish_parse(struct arena *arena, const char *text, struct publish_list *out, struct err *err)
{
	struct publish_list list = { 0 };
	if (!text || !*text) {
		*out = list;
		return 0;
	}
	struct strv words = str_split(arena, text, ',');
	if (words.count > PUBLISH_MOST)
		return err_set(err, E2BIG, "COSO_PUBLISH: more than %d mappings", PUBLISH_MOST);
	for (size_t i = 0; i < words.count; i++) {
		struct publish one = { 0 };
		if (parse_one(arena, words.items[i], &one, err) < 0)
			return -1;
		for (size_t j = 0; j < list.count; j++) {
			if (overlaps(&one, &list.items[j]))
				return err_set(err, EINVAL, "COSO_PUBLISH: '%.80s' and '%.80s' publish the same port",
					       list.items[j].text, one.text);
		}
		list.items = arena_grow(arena, list.items, list.count, sizeof(one));
		list.items[list.count++] = one;
	}
	*out = list;
	return 0;
}

bool publish_covers(const struct publish *publish, int family)
{
	return !publish->address.family || publish->address.family == family;
}

const char *publish_proto_name(const struct publish *publish)
{
	return publish->proto == IPPROTO_TCP ? "tcp" : "udp";
}
