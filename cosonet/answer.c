// SPDX-License-Identifier: GPL-2.0-or-later
// answer.c - what cosonet prints: the answer to -pid, and status
#include "cosonet/answer.h"

#include "cosonet/bridge.h"
#include "cosonet/ipam.h"
#include "cosonet/sysctl.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char unguarded[] = "containers can send under each other's addresses: this kernel lacks sch_ingress or cls_bpf "
				"(CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_BPF)";

static json_t *cidr_text(const struct num_cidr *cidr)
{
	char text[RECORD_ADDRESS];
	return json_string(record_cidr(cidr, text));
}

static json_t *host_text(const struct num_cidr *cidr)
{
	char text[RECORD_ADDRESS];
	return json_string(record_host(cidr, text));
}

static json_t *mac_text(const unsigned char mac[LINK_MAC])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

// One write(2), so that a reader never sees half of it, and errors (a full disk, a closed pipe) are seen.
static int print_json(json_t *json, struct err *err)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return err_set(err, ENOMEM, "make the JSON answer: out of memory");
	int rc = printf("%s\n", text) < 0 || fflush(stdout) != 0 ? err_sys(err, "write the answer to stdout") : 0;
	free(text);
	return rc;
}

int answer_attached(const struct attached *a, struct err *err)
{
	json_t *addresses = json_array(), *gateways = json_array(), *interfaces = json_array(), *warnings = json_array();
	json_array_append_new(addresses, cidr_text(&a->lease.address4));
	json_array_append_new(gateways, host_text(&a->gateway4));
	if (a->lease.address6.family) {
		json_array_append_new(addresses, cidr_text(&a->lease.address6));
		json_array_append_new(gateways, host_text(&a->gateway6));
	}
	json_array_append_new(interfaces, json_pack("{s:s,s:o,s:o,s:s}", "name", a->inside.name, "mac", mac_text(a->inside.mac),
						    "addresses", addresses, "host", a->lease.veth));
	if (!a->guarded)
		json_array_append_new(warnings, json_string(unguarded));
	return print_json(json_pack("{s:o,s:o,s:[],s:b,s:o}", "interfaces", interfaces, "gateways", gateways, "dns", "release",
				    a->release, "warnings", warnings),
			  err);
}

struct status {
	const struct request *request;
	struct bridge bridge;
	json_t *leases, *ports;
};

static void add_lease(const struct link *link, void *arg)
{
	struct status *s = arg;
	struct num_cidr address = s->bridge.record.net4;
	const char *bridge = s->request->bridge;
	if (!ipam_lease_parse(link->name, bridge, &address.addr.v4) && !ipam_lease_parse(link->other, bridge, &address.addr.v4))
		return;
	json_array_append_new(s->leases, json_pack("{s:s,s:o}", "link", link->name, "address", host_text(&address)));
}

static void add_port(const struct fw_port *port, void *arg)
{
	struct status *s = arg;
	json_array_append_new(s->ports,
			      json_pack("{s:s,s:s,s:b,s:s,s:s,s:o,s:i,s:o,s:i,s:i}", "id", port->id, "link", port->veth, "alive",
					if_nametoindex(port->veth) != 0, "proto", port->proto == IPPROTO_TCP ? "tcp" : "udp",
					"family", port->container.family == AF_INET ? "ipv4" : "ipv6", "host",
					port->host.family ? host_text(&port->host) : json_null(), "host_port", port->host_port,
					"container", host_text(&port->container), "container_port", port->container_port, "count",
					port->count));
}

static int print_text(const struct status *s)
{
	char net4[RECORD_ADDRESS], net6[RECORD_ADDRESS];
	const struct record *record = &s->bridge.record;
	size_t i;
	json_t *item;
	printf("bridge    %s, %s\n", s->request->bridge, record->ready ? "ready" : "set-up unfinished (cosonet setup mends it)");
	printf("networks  %s%s%s\n", record_cidr(&record->net4, net4), record->net6.family ? ", " : "",
	       record->net6.family ? record_cidr(&record->net6, net6) : "");
	printf("firewall  %s\nmtu       %u\nleases    %zu\n", record_fw_name(record->fw), record->mtu, json_array_size(s->leases));
	json_array_foreach(s->leases, i, item)
		printf("  %-15s %s\n", json_string_value(json_object_get(item, "link")),
		       json_string_value(json_object_get(item, "address")));
	printf("published %zu\n", json_array_size(s->ports));
	json_array_foreach(s->ports, i, item) {
		const char *host = json_string_value(json_object_get(item, "host"));
		printf("  %s:%lld -> %s:%lld/%s, %lld port(s), %s%s\n", host ? host : "*",
		       json_integer_value(json_object_get(item, "host_port")),
		       json_string_value(json_object_get(item, "container")),
		       json_integer_value(json_object_get(item, "container_port")),
		       json_string_value(json_object_get(item, "proto")), json_integer_value(json_object_get(item, "count")),
		       json_string_value(json_object_get(item, "id")),
		       json_is_true(json_object_get(item, "alive")) ? "" : " (gone)");
	}
	return fflush(stdout);
}

static json_t *to_json(const struct status *s)
{
	const struct record *record = &s->bridge.record;
	json_t *networks = json_array();
	json_array_append_new(networks, cidr_text(&record->net4));
	if (record->net6.family)
		json_array_append_new(networks, cidr_text(&record->net6));
	return json_pack("{s:s,s:b,s:o,s:s,s:i,s:O,s:O}", "bridge", s->request->bridge, "ready", record->ready, "networks",
			 networks, "firewall", record_fw_name(record->fw), "mtu", record->mtu, "leases", s->leases, "published",
			 s->ports);
}

static int collect(struct netlink *nl, struct status *s, struct err *err)
{
	if (link_each(nl, add_lease, s, err) < 0)
		return -1;
	return fw_back_end(s->bridge.record.fw)->list(s->request->bridge, add_port, s, err);
}

int answer_status(const struct request *request, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct status s = { .request = request };
	if (netlink_open(&nl, NETLINK_ROUTE, err) < 0)
		return -1;
	int found = link_find(&nl, request->bridge, &s.bridge.link, err);
	if (found < 0)
		return -1;
	if (!found || !record_parse(s.bridge.link.alias, &s.bridge.record)) {
		if (request->json)
			return print_json(json_pack("{s:s,s:b}", "bridge", request->bridge, "ready", 0), err);
		printf("bridge    %s, not set up (cosonet setup, or make net-setup)\n", request->bridge);
		return 0;
	}
	s.leases = json_array();
	s.ports = json_array();
	int rc = collect(&nl, &s, err);
	if (rc == 0 && request->json)
		rc = print_json(to_json(&s), err);
	else if (rc == 0 && print_text(&s) != 0)
		rc = err_sys(err, "write the status to stdout");
	json_decref(s.leases);
	json_decref(s.ports);
	return rc;
}
