// SPDX-License-Identifier: GPL-2.0-or-later
// attach.c - `cosonet -pid PID`: connects a container's network namespace, and gives it back
//
// Theory of operation. Without published ports this is: one question for the bridge, one for its rules, one request that makes the
// veth pair (and is the lease), then five inside the container's namespace. No lock, no file, no rule. The pair dies with the
// container's namespace, so nothing is owed afterwards. If this program is killed, the container's launch fails and its namespace
// goes, and the pair with it. With published ports there are rules, which name the lease: they are dead when its link is gone, and
// whoever writes rules next sweeps them; `-release` does it at once.
#include "cosonet/attach.h"

#include "cosonet/addr.h"
#include "cosonet/bridge.h"
#include "cosonet/flows.h"
#include "cosonet/guard.h"
#include "cosonet/ipam.h"
#include "cosonet/lock.h"
#include "cosonet/netns.h"
#include "cosonet/ports.h"
#include "cosonet/sysctl.h"
#include "shared/fd.h"
#include "shared/proc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { DYING_MS = 1000, RETRY_MS = 20 };

// Before the container's end is up, so that nothing was ever sent without it.
static int guard(struct netlink *host, const struct request *request, const struct attached *a, struct err *err)
{
	struct guard_owner owner = {
		.address4 = a->lease.address4,
		.address6 = a->lease.address6,
		.no_metadata = request->no_metadata,
	};
	memcpy(owner.mac, a->inside.mac, LINK_MAC);
	int guarded = guard_attach(host, a->lease.index, &owner, err);
	if (guarded == 0 && request->no_metadata)
		return err_set(err, EOPNOTSUPP,
			       "COSO_METADATA=no: it takes a kernel with CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF");
	return guarded;
}

// Inside the container's namespace: `nl` was opened there, and so /proc/sys/net is its own. `host` was opened outside.
static int configure(struct netlink *nl, struct netlink *host, const struct request *request, struct attached *a, struct err *err)
{
	const struct lease *lease = &a->lease;
	const char *name = request->ifname;
	int found = link_find(nl, name, &a->inside, err);
	if (found <= 0)
		return found < 0 ? -1 : err_set(err, ENODEV, "interface '%s' of the container went away", name);
	int guarded = guard(host, request, a, err);
	if (guarded < 0)
		return -1;
	a->guarded = guarded;
	bool six = lease->address6.family != 0;
	if (six &&
	    (sysctl_set_link("ipv6", name, "accept_ra", 0, err) < 0 || sysctl_set_link("ipv6", name, "accept_dad", 0, err) < 0))
		return -1;
	if (!six && sysctl_has_ipv6() && sysctl_set_link("ipv6", name, "disable_ipv6", 1, err) < 0)
		return -1;
	if (addr_add(nl, a->inside.index, &lease->address4, err) < 0 || link_set_up(nl, a->inside.index, err) < 0 ||
	    addr_route_default(nl, a->inside.index, &a->gateway4, err) < 0)
		return -1;
	if (six && (addr_add(nl, a->inside.index, &lease->address6, err) < 0 ||
		    addr_route_default(nl, a->inside.index, &a->gateway6, err) < 0))
		return -1;
	return 0;
}

static int enter_and_configure(struct netlink *host, const struct netns *netns, const struct request *request, struct attached *a,
			       struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct err back;
	if (netns_enter(netns, err) < 0)
		return -1;
	int rc = netlink_open(&nl, NETLINK_ROUTE, err);
	if (rc == 0)
		rc = configure(&nl, host, request, a, err);
	if (netns_leave(netns, &back) < 0 && rc == 0) {
		*err = back;
		rc = -1;
	}
	return rc;
}

// Published ports, and whatever may still point at an address that isn't reserved for containers with published ports.
static int write_rules(struct netlink *nl, const struct request *request, const struct bridge *bridge, const struct lease *lease,
		       struct err *err)
{
	const struct fw_ops *fw = fw_back_end(bridge->record.fw);
	struct fw_net net = bridge_fw_net(request, &bridge->record);
	struct fw_lease owner = { lease->name, request->owner, lease->address4, lease->address6 };
	bool reserved = ipam_is_split(&bridge->record.net4) && !request->container.family;
	if (!request->publish.count && reserved)
		return 0;
	own_fd int lock = lock_take(err);
	if (lock < 0)
		return -1;
	// Where br_netfilter is on, a container that asks for its own port is sent back by the bridge, not by the router behind it.
	if (request->publish.count && link_set_hairpin(nl, lease->index, err) < 0)
		return -1;
	if (request->publish.count) {
		if (fw->publish(&net, &owner, &request->publish, err) < 0)
			return -1;
		flows_forget(nl, &net, &request->publish);
		return 0;
	}
	struct fw_sweep stale = { .veth = lease->name };
	return fw->sweep(&stale, err);
}

// A container that was killed a moment ago still has its link, and with it its ports, until the kernel has taken its namespace down.
static int write_rules_patiently(struct netlink *nl, const struct request *request, const struct bridge *bridge,
				 const struct lease *lease, struct err *err)
{
	int64_t deadline = proc_now_ms() + DYING_MS;
	while (write_rules(nl, request, bridge, lease, err) < 0) {
		if (err->code != EADDRINUSE || proc_now_ms() >= deadline)
			return -1;
		poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

static void undo(struct netlink *nl, const struct request *request, const struct bridge *bridge, const struct lease *lease)
{
	struct fw_sweep rules = { .veth = lease->name };
	if (request->publish.count) {
		own_fd int lock = lock_take(NULL);
		fw_back_end(bridge->record.fw)->sweep(&rules, NULL);
	}
	lease_drop(nl, lease, NULL);
}

int attach_run(const struct request *request, struct attached *out, struct err *err)
{
	own_netns struct netns netns = NETNS_NONE;
	own_netlink struct netlink nl = { 0 };
	struct bridge bridge = { 0 };
	struct attached a = { .release = request->publish.count > 0 };

	if (netns_open(&netns, request->pid, err) < 0 || netlink_open(&nl, NETLINK_ROUTE, err) < 0)
		return -1;
	int found = bridge_find(&nl, request, &bridge, err);
	if (found < 0 || (found == 0 && bridge_setup(&nl, request, &bridge, err) < 0))
		return -1;
	if (ports_check(&nl, &request->publish, bridge.record.net6.family != 0, err) < 0)
		return -1;
	struct lease_terms terms = { request, &bridge.record, bridge.link.index, &netns };
	if (lease_take(&nl, &terms, &a.lease, err) < 0)
		return -1;
	a.gateway4 = bridge.record.net4;
	a.gateway6 = bridge.record.net6;
	// The host's end needs no address of its own: without one it says nothing and hears no router.
	if (sysctl_has_ipv6())
		sysctl_set_link("ipv6", a.lease.veth, "disable_ipv6", 1, NULL);
	if (write_rules_patiently(&nl, request, &bridge, &a.lease, err) < 0 ||
	    enter_and_configure(&nl, &netns, request, &a, err) < 0) {
		undo(&nl, request, &bridge, &a.lease);
		return -1;
	}
	*out = a;
	return 0;
}

int attach_release(const struct request *request, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct link link;
	struct record record;
	struct fw_sweep gone = { .owner = request->owner, .dead = true };
	if (netlink_open(&nl, NETLINK_ROUTE, err) < 0)
		return -1;
	int found = link_find(&nl, request->bridge, &link, err);
	if (found < 0)
		return -1;
	if (!found || !record_parse(link.alias, &record))
		return 0;
	struct fw_net net = bridge_fw_net(request, &record);
	own_fd int lock = lock_take(err);
	if (lock < 0 || fw_back_end(record.fw)->sweep(&gone, err) < 0)
		return -1;
	flows_forget(&nl, &net, &request->publish);
	return 0;
}
