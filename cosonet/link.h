// SPDX-License-Identifier: GPL-2.0-or-later
// link.h - links of the kernel: looked up, made, changed, removed. rtnetlink(7)
#pragma once

#include "cosonet/netlink.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { LINK_MAC = 6, LINK_ALIAS = 256 };

struct link {
	int index;
	int master; // index of the bridge it is a port of, or 0
	unsigned int mtu;
	bool up;
	unsigned char mac[LINK_MAC];
	char name[IFNAMSIZ];
	char kind[16]; // "bridge", "veth", ...; empty for hardware
	char alias[LINK_ALIAS];
	char other[IFNAMSIZ]; // its last alternative name (Linux 5.5), if that is short enough to be a lease
};

// Looks a link up by its name. Returns 1, 0 if there is none, or -1.
int link_find(struct netlink *nl, const char *name, struct link *out, struct err *err);

// Calls `each` for every link of the namespace. Returns 0, 1 if links changed meanwhile (one may be missing), or -1.
int link_each(struct netlink *nl, void (*each)(const struct link *link, void *arg), void *arg, struct err *err);

// Makes a bridge with this MAC address (a bridge without one changes it with its ports) and no multicast snooping, down.
int link_create_bridge(struct netlink *nl, const char *name, const unsigned char mac[LINK_MAC], struct err *err);

struct link_veth {
	const char *name; // the host's end
	const char *peer; // the container's end, in `netns`
	int netns;        // descriptor
	int bridge;       // index
	unsigned int mtu;
	unsigned char mac[LINK_MAC]; // of the container's end; zero: the kernel chooses
};

// One request makes both ends: the host's is up and a port of the bridge, or nothing is made. err->code: EEXIST (either name is
// taken), EXFULL (the bridge has 1,023 ports: BR_MAX_PORTS).
int link_create_veth(struct netlink *nl, const struct link_veth *veth, struct err *err);

// Moves a link into the network namespace `netns`, where it is down, and has this name ("%d" in it: the kernel chooses a number) and no
// address. Its MTU and its MAC stay. What fails after the move leaves it there under its old name.
int link_move(struct netlink *nl, int index, int netns, const char *name, struct err *err);

int link_set_up(struct netlink *nl, int index, struct err *err);
int link_set_mtu(struct netlink *nl, int index, unsigned int mtu, struct err *err);
int link_set_alias(struct netlink *nl, int index, const char *alias, struct err *err);

// Gives a link one more name, which no other link of the namespace may have in any way. err->code: EEXIST. Linux 5.5
int link_add_name(struct netlink *nl, int index, const char *name, struct err *err);

// Lets a bridge send a frame back by the port that it came from.
int link_set_hairpin(struct netlink *nl, int index, struct err *err);

int link_delete(struct netlink *nl, int index, struct err *err);
