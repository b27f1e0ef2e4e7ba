// SPDX-License-Identifier: GPL-2.0-or-later
// lease.c - an address taken by making the link that stands for it
#include "cosonet/lease.h"

#include "cosonet/ipam.h"
#include "shared/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	WAIT_MS = 2000,
	STEP_NS = 10000000,
	VETHS_MOST = 4096, // numbers tried behind a -vethNamePrefix
};

enum attempt { FAILED = -1, TAKEN, MADE, FULL };

// What a request answered EEXIST may mean: our name is in use, or the container has a link of the peer's name.
static enum attempt sort_out(struct netlink *nl, const struct lease_terms *terms, const struct link_veth *veth, struct err *err)
{
	struct link link;
	for (int i = 0; i < 3; i++) {
		int found = link_find(nl, veth->name, &link, err);
		if (found != 0)
			return found < 0 ? FAILED : TAKEN;
		if (link_create_veth(nl, veth, err) == 0) // whoever had the name has just gone
			return MADE;
		if (err->code != EEXIST)
			return err->code == EXFULL ? FULL : FAILED;
	}
	err_set(err, EEXIST, "pid %d has an interface '%s' already: give another name with -ifname", terms->request->pid,
		veth->peer);
	return FAILED;
}

static enum attempt make(struct netlink *nl, const struct lease_terms *terms, struct link_veth *veth, struct err *err)
{
	veth->peer = terms->request->ifname;
	veth->netns = terms->netns->fd;
	veth->bridge = terms->bridge;
	veth->mtu = terms->request->mtu_given ? terms->request->mtu : terms->record->mtu;
	if (link_create_veth(nl, veth, err) == 0)
		return MADE;
	if (err->code == EEXIST)
		return sort_out(nl, terms, veth, err);
	return err->code == EXFULL ? FULL : FAILED;
}

static void fill(const struct lease_terms *terms, uint32_t host, struct lease *lease)
{
	const struct record *record = terms->record;
	lease->address4 = ipam_address(&record->net4, host);
	lease->address6 = record->net6.family ? ipam_address(&record->net6, host) : (struct num_cidr){ 0 };
	ipam_lease_name(lease->name, terms->request->bridge, lease->address4.addr.v4);
}

// The usual way: one request is both lease and link.
static enum attempt take_named(struct netlink *nl, const struct lease_terms *terms, uint32_t host, struct lease *lease,
			       struct err *err)
{
	fill(terms, host, lease);
	memcpy(lease->veth, lease->name, sizeof(lease->veth));
	struct link_veth veth = { .name = lease->veth, .mac = { 0x02, 0xc0 } };
	memcpy(veth.mac + 2, &lease->address4.addr.v4, 4);
	return make(nl, terms, &veth, err);
}

// With -vethNamePrefix: lease->veth was made by first_link; the lease is its second name, which is as unique as a first one.
static enum attempt take_second_name(struct netlink *nl, const struct lease_terms *terms, uint32_t host, struct lease *lease,
				     struct err *err)
{
	fill(terms, host, lease);
	if (link_add_name(nl, (int)if_nametoindex(lease->veth), lease->name, err) == 0)
		return MADE;
	return err->code == EEXIST ? TAKEN : FAILED;
}

static enum attempt first_link(struct netlink *nl, const struct lease_terms *terms, struct lease *lease, struct err *err)
{
	for (int i = 0; i < VETHS_MOST; i++) {
		snprintf(lease->veth, sizeof(lease->veth), "%s%d", terms->request->veth_prefix, i);
		struct link_veth veth = { .name = lease->veth };
		enum attempt attempt = make(nl, terms, &veth, err);
		if (attempt != TAKEN)
			return attempt;
	}
	err_set(err, EEXIST, "-vethNamePrefix '%s': %s0 to %s are all in use", terms->request->veth_prefix,
		terms->request->veth_prefix, lease->veth);
	return FAILED;
}

typedef enum attempt take_function(struct netlink *, const struct lease_terms *, uint32_t, struct lease *, struct err *);

static enum attempt search(struct netlink *nl, const struct lease_terms *terms, take_function *take, struct lease *lease,
			   struct err *err)
{
	const struct request *r = terms->request;
	struct ipam_pool pool = ipam_pool(&terms->record->net4, r->publish.count > 0);
	uint32_t count = ipam_count(&pool);
	if (r->container.family)
		return take(nl, terms, ipam_host(&terms->record->net4, &r->container), lease, err);
	for (uint32_t n = 0; n < count; n++) {
		uint32_t host = ipam_candidate(&pool, r->id, n);
		fill(terms, host, lease);
		// The kernel makes the peer before it refuses a name that is in use: milliseconds, where a look-up takes one microsecond.
		if (if_nametoindex(lease->name))
			continue;
		enum attempt attempt = take(nl, terms, host, lease, err);
		if (attempt != TAKEN)
			return attempt;
	}
	return TAKEN;
}

static int explain(const struct lease_terms *terms, enum attempt last, struct err *err)
{
	const struct request *r = terms->request;
	char text[RECORD_ADDRESS];
	struct num_cidr net = ipam_address(&terms->record->net4, 0);
	struct ipam_pool pool = ipam_pool(&terms->record->net4, r->publish.count > 0);
	if (last == FULL)
		return err_set(err, EXFULL,
			       "bridge '%s' is full: the kernel takes 1,023 ports per bridge; end a container, or use another "
			       "-bridgeName and -subnet",
			       r->bridge);
	if (last == TAKEN && r->container.family)
		return err_set(err, EADDRINUSE,
			       "-containerAddress %s: another container has it; choose another, or leave it to cosonet",
			       record_host(&r->container, text));
	if (last == TAKEN)
		return err_set(err, EADDRNOTAVAIL,
			       "network %s of bridge '%s' is exhausted: its %u addresses%s are taken; end a container, or "
			       "use another -bridgeName and -subnet",
			       record_cidr(&net, text), r->bridge, ipam_count(&pool),
			       !ipam_is_split(&net) ? "" :
			       r->publish.count     ? " for containers with published ports" :
						      " for containers without published ports");
	return -1;
}

static int check_address(const struct lease_terms *terms, struct err *err)
{
	const struct num_cidr *net = &terms->record->net4, *wish = &terms->request->container;
	char text[RECORD_ADDRESS], whole[RECORD_ADDRESS];
	uint32_t host = ipam_host(net, wish);
	struct num_cidr base = ipam_address(net, 0);
	if (!wish->family || (host != 0 && host != ~0U >> net->prefix && host != ipam_host(net, net)))
		return 0;
	return err_set(err, EINVAL, "-containerAddress %s: not an address for a container in %s, the network of bridge '%s'",
		       record_host(wish, text), record_cidr(&base, whole), terms->request->bridge);
}

int lease_take(struct netlink *nl, const struct lease_terms *terms, struct lease *out, struct err *err)
{
	struct lease lease = { 0 };
	enum attempt attempt;
	int64_t end = 0;
	if (check_address(terms, err) < 0)
		return -1;
	for (;;) {
		take_function *take = terms->request->veth_prefix ? take_second_name : take_named;
		bool second = false;
		attempt = MADE;
		if (take == take_second_name) {
			attempt = first_link(nl, terms, &lease, err);
			second = attempt == MADE;
		}
		if (attempt == MADE)
			attempt = search(nl, terms, take, &lease, err);
		if (attempt == MADE && (lease.index = (int)if_nametoindex(lease.veth)) == 0)
			return err_set(err, ENODEV, "link '%s' went away as it was made", lease.veth);
		if (attempt == MADE) {
			*out = lease;
			return 0;
		}
		if (second)
			lease_drop(nl, &lease, NULL);
		if (!end)
			end = proc_now_ms() + WAIT_MS;
		if (attempt == FAILED || proc_now_ms() >= end)
			return explain(terms, attempt, err);
		nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
	}
}

int lease_drop(struct netlink *nl, const struct lease *lease, struct err *err)
{
	struct link link;
	int found = link_find(nl, lease->veth, &link, err);
	return found <= 0 ? found : link_delete(nl, link.index, err);
}
