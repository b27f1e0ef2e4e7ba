// SPDX-License-Identifier: GPL-2.0-or-later
// bridge.c - the bridge of the containers with all that belongs to it: addresses, forwarding, NAT
//
// Theory of operation. A bridge is ours if its MAC address is the one that follows from its name: that is set as it is made. Its
// alias is its record (record.h). The order of a set-up is: bridge, record "begun" (with what forwarding was), addresses,
// forwarding, rules, record "ready"; a run that was killed in between leaves a record that says "begun", or none, and the next
// command does all the steps again. The order of a teardown is the reverse, with the bridge and so the record last.
#include "cosonet/bridge.h"

#include "cosonet/addr.h"
#include "cosonet/forward.h"
#include "cosonet/fw_iptc.h"
#include "cosonet/fw_nft.h"
#include "cosonet/guard.h"
#include "cosonet/ipam.h"
#include "cosonet/lock.h"
#include "cosonet/sysctl.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { MTU_USUAL = 1500, PORTS_MS = 2000, PORTS_STEP_NS = 10000000 };

struct fw_net bridge_fw_net(const struct request *request, const struct record *record)
{
	return (struct fw_net){ request->bridge, record->net4, record->net6 };
}

static void mac_of(const char *name, unsigned char out[LINK_MAC])
{
	uint32_t hash = ipam_hash(name);
	const unsigned char mac[LINK_MAC] = { 0x02,
					      0xc5,
					      (unsigned char)(hash >> 24),
					      (unsigned char)(hash >> 16),
					      (unsigned char)(hash >> 8),
					      (unsigned char)hash };
	memcpy(out, mac, LINK_MAC);
}

static bool is_ours(const struct link *link)
{
	unsigned char mac[LINK_MAC];
	mac_of(link->name, mac);
	return str_eq(link->kind, "bridge") && memcmp(link->mac, mac, LINK_MAC) == 0;
}

// Looks up a bridge of ours. Returns 1, 0 (no such link), or -1.
static int find_own(struct netlink *nl, const char *name, struct link *out, struct err *err)
{
	int found = link_find(nl, name, out, err);
	if (found == 1 && !is_ours(out))
		return err_set(err, EEXIST, "link '%s' exists, and cosonet didn't make it: choose another name with -bridgeName",
			       name);
	return found;
}

static bool same_net(const struct num_cidr *a, const struct num_cidr *b)
{
	return a->family == b->family && a->prefix == b->prefix && memcmp(&a->addr, &b->addr, a->family == AF_INET ? 4 : 16) == 0;
}

static int check_wish(const struct request *r, const struct record *record, struct err *err)
{
	char have[RECORD_ADDRESS], wish[RECORD_ADDRESS];
	const char *remedy = "run cosonet teardown first, or use another -bridgeName";
	if (r->fw != FW_AUTO && r->fw != record->fw)
		return err_set(err, EEXIST, "bridge '%s' is set up with -firewall %s, not %s: %s", r->bridge,
			       record_fw_name(record->fw), record_fw_name(r->fw), remedy);
	if (r->verb == REQUEST_SETUP && r->mtu_given && r->mtu != record->mtu) // a container may have its own
		return err_set(err, EEXIST, "bridge '%s' is set up with -mtu %u, not %u: %s", r->bridge, record->mtu, r->mtu,
			       remedy);
	if (!r->nets_given)
		return 0;
	if (!same_net(&r->net4, &record->net4))
		return err_set(err, EEXIST, "bridge '%s' is set up with the address %s, not %s: %s", r->bridge,
			       record_cidr(&record->net4, have), record_cidr(&r->net4, wish), remedy);
	if (record->net6.family && !r->net6.family)
		return err_set(err, EEXIST, "bridge '%s' is set up with IPv6 (%s): %s", r->bridge, record_cidr(&record->net6, have),
			       remedy);
	if (record->net6.family && !same_net(&r->net6, &record->net6))
		return err_set(err, EEXIST, "bridge '%s' is set up with the address %s, not %s: %s", r->bridge,
			       record_cidr(&record->net6, have), record_cidr(&r->net6, wish), remedy);
	return 0;
}

int bridge_find(struct netlink *nl, const struct request *request, struct bridge *out, struct err *err)
{
	struct bridge b = { 0 };
	int found = find_own(nl, request->bridge, &b.link, err);
	if (found <= 0)
		return found;
	if (!record_parse(b.link.alias, &b.record) || !b.record.ready || !b.link.up)
		return 0;
	if (check_wish(request, &b.record, err) < 0)
		return -1;
	struct fw_net net = bridge_fw_net(request, &b.record);
	int ready = fw_back_end(b.record.fw)->ready(&net, err);
	if (ready == 1)
		*out = b;
	return ready;
}

static int check_overlap(struct netlink *nl, const struct num_cidr *net, int bridge, struct err *err)
{
	char ours[RECORD_ADDRESS], theirs[RECORD_ADDRESS], name[IFNAMSIZ] = "?";
	struct num_cidr route;
	int index = 0;
	int rc = net->family ? addr_overlap(nl, net, bridge, &route, &index, err) : 0;
	if (rc <= 0)
		return rc;
	if_indextoname((unsigned int)index, name);
	return err_set(err, EADDRINUSE, "network %s collides with the route to %s by '%s': choose another with -subnet",
		       record_cidr(net, ours), record_cidr(&route, theirs), name);
}

// As large as the way out of this host takes, so that nothing has to be fragmented on the way.
static unsigned int usual_mtu(struct netlink *nl)
{
	struct num_cidr outside;
	char name[IFNAMSIZ];
	bool local = false;
	int index = 0;
	struct link link;
	num_cidr("outside", "192.0.2.1", &outside, NULL); // TEST-NET-1, RFC 5737: by the default route
	if (addr_lookup(nl, &outside, &local, &index, NULL) < 0 || !index || !if_indextoname((unsigned int)index, name))
		return MTU_USUAL;
	if (link_find(nl, name, &link, NULL) != 1 || link.mtu < 1280 || link.mtu > 65535)
		return MTU_USUAL;
	return link.mtu;
}

static int write_record(struct netlink *nl, const struct bridge *bridge, struct err *err)
{
	char text[RECORD_MAX];
	if (record_print(&bridge->record, text) < 0)
		return err_set(err, ENAMETOOLONG, "bridge '%s': its record doesn't fit into an alias", bridge->link.name);
	return link_set_alias(nl, bridge->link.index, text, err);
}

// A first set-up: decides what the record says.
static int begin(struct netlink *nl, const struct request *request, struct bridge *bridge, struct err *err)
{
	struct record record = { .net4 = request->net4, .net6 = request->net6 };
	if (!sysctl_has_ipv6())
		record.net6 = (struct num_cidr){ 0 };
	record.mtu = request->mtu_given ? request->mtu : usual_mtu(nl);
	if (check_overlap(nl, &record.net4, bridge->link.index, err) < 0 ||
	    check_overlap(nl, &record.net6, bridge->link.index, err) < 0 || fw_choose(request->fw, &record.fw, err) < 0 ||
	    forward_observe(&record, err) < 0)
		return -1;
	bridge->record = record;
	return 0;
}

static int set_addresses(struct netlink *nl, const struct bridge *bridge, struct err *err)
{
	const char *name = bridge->link.name;
	const struct record *record = &bridge->record;
	if (link_set_mtu(nl, bridge->link.index, record->mtu, err) < 0 || addr_add(nl, bridge->link.index, &record->net4, err) < 0)
		return -1;
	// A container must not become the host's router by an advertisement (CVE-2020-10749).
	if (record->net6.family &&
	    (sysctl_set_link("ipv6", name, "disable_ipv6", 0, err) < 0 || // a new link takes the host's default
	     sysctl_set_link("ipv6", name, "accept_ra", 0, err) < 0 || sysctl_set_link("ipv6", name, "accept_dad", 0, err) < 0 ||
	     addr_add(nl, bridge->link.index, &record->net6, err) < 0))
		return -1;
	if (!record->net6.family)
		sysctl_set_link("ipv6", name, "disable_ipv6", 1,
				NULL); // IPv6 off means off; where there is none, that is so already
	return link_set_up(nl, bridge->link.index, err);
}

static int build(struct netlink *nl, const struct request *request, struct bridge *bridge, struct err *err)
{
	const struct fw_ops *fw = fw_back_end(bridge->record.fw);
	struct fw_net net = bridge_fw_net(request, &bridge->record);
	struct fw_sweep dead = { .dead = true };
	if (write_record(nl, bridge, err) < 0 || set_addresses(nl, bridge, err) < 0 ||
	    guard_hold(nl, bridge->link.index, err) < 0 || forward_on(&bridge->record, request->bridge, err) < 0)
		return -1;
	if (fw->masquerade(&net, err) < 0 || fw->forward(&net, err) < 0 || fw->sweep(&dead, err) < 0)
		return -1;
	bridge->record.ready = true;
	return write_record(nl, bridge, err);
}

struct heir {
	const char * not ; // the bridge that goes
	struct bridge bridge;
	bool found;
};

static void look_for_heir(const struct link *link, void *arg)
{
	struct heir *heir = arg;
	struct record record;
	if (heir->found || str_eq(link->name, heir->not ) || !is_ours(link) || !record_parse(link->alias, &record))
		return;
	heir->bridge = (struct bridge){ *link, record };
	heir->found = true;
}

// Another bridge of ours goes on needing what this one turned on: it gets the duty to turn it off.
static int bequeath(struct netlink *nl, struct bridge *bridge, struct err *err)
{
	struct heir heir = { .not = bridge->link.name };
	struct record *from = &bridge->record, *to = &heir.bridge.record;
	if (link_each(nl, look_for_heir, &heir, err) < 0)
		return -1;
	if (!heir.found)
		return 0;
	if (from->forward4 == 0) {
		to->forward4 = from->forward4;
		to->redirects4 = from->redirects4;
	}
	if (from->forward6 == 0 && to->net6.family)
		to->forward6 = from->forward6;
	if (write_record(nl, &heir.bridge, err) < 0)
		return -1;
	from->forward4 = -1;
	if (to->net6.family)
		from->forward6 = -1;
	return write_record(nl, bridge, err);
}

static int unbuild(struct netlink *nl, const struct request *request, struct bridge *bridge, struct err *err)
{
	struct fw_sweep all = { .bridge = request->bridge, .everything = true };
	if (bequeath(nl, bridge, err) < 0 || fw_back_end(bridge->record.fw)->sweep(&all, err) < 0 ||
	    forward_off(&bridge->record, err) < 0)
		return -1;
	return link_delete(nl, bridge->link.index, err);
}

int bridge_setup(struct netlink *nl, const struct request *request, struct bridge *out, struct err *err)
{
	struct bridge b = { 0 };
	unsigned char mac[LINK_MAC];
	own_fd int lock = lock_take(err);
	if (lock < 0)
		return -1;
	int found = find_own(nl, request->bridge, &b.link, err);
	if (found < 0)
		return -1;
	bool known = found && record_parse(b.link.alias, &b.record);
	if (known ? check_wish(request, &b.record, err) < 0 : begin(nl, request, &b, err) < 0)
		return -1;
	if (!found) {
		mac_of(request->bridge, mac);
		if (link_create_bridge(nl, request->bridge, mac, err) < 0)
			return -1;
		if (link_find(nl, request->bridge, &b.link, err) != 1)
			return err_set(err, ENODEV, "bridge '%s' went away as it was made", request->bridge);
	}
	if (build(nl, request, &b, err) < 0) {
		if (!known)
			unbuild(nl, request, &b, NULL);
		return err_wrap(err, "set up bridge '%s'", request->bridge);
	}
	log_verbose("bridge '%s' is up, with %s", request->bridge, record_fw_name(b.record.fw));
	*out = b;
	return 0;
}

struct ports {
	int bridge;
	unsigned int count;
};

static void count_port(const struct link *link, void *arg)
{
	struct ports *ports = arg;
	ports->count += link->master == ports->bridge;
}

// A container's link goes some milliseconds after the container.
static int wait_for_ports(struct netlink *nl, struct ports *ports, struct err *err)
{
	int64_t end = proc_now_ms() + PORTS_MS;
	for (;;) {
		ports->count = 0;
		int rc = link_each(nl, count_port, ports, err);
		if (rc < 0)
			return -1;
		if ((rc == 0 && !ports->count) || proc_now_ms() >= end)
			return 0;
		nanosleep(&(struct timespec){ .tv_nsec = PORTS_STEP_NS }, NULL);
	}
}

// Rules of a bridge that somebody else removed.
static int sweep_orphans(const struct request *request, struct err *err)
{
	struct fw_sweep all = { .bridge = request->bridge, .everything = true };
	return fw_iptc.sweep(&all, err) < 0 || fw_nft.sweep(&all, err) < 0 ? -1 : 0;
}

int bridge_teardown(struct netlink *nl, const struct request *request, struct err *err)
{
	struct bridge b = { 0 };
	own_fd int lock = lock_take(err);
	if (lock < 0)
		return -1;
	int found = find_own(nl, request->bridge, &b.link, err);
	if (found <= 0)
		return found < 0 ? -1 : sweep_orphans(request, err);
	struct ports ports = { .bridge = b.link.index };
	if (wait_for_ports(nl, &ports, err) < 0)
		return -1;
	if (ports.count)
		return err_set(err, EBUSY, "bridge '%s' has %u container%s: end %s first", request->bridge, ports.count,
			       ports.count == 1 ? "" : "s", ports.count == 1 ? "it" : "them");
	if (!record_parse(b.link.alias, &b.record)) // killed before it had one, so before it changed anything else
		return link_delete(nl, b.link.index, err);
	if (unbuild(nl, request, &b, err) < 0)
		return err_wrap(err, "tear down bridge '%s'", request->bridge);
	return 0;
}
