// SPDX-License-Identifier: GPL-2.0-or-later
// flows.h - what the kernel remembers of who talks to whom (conntrack)
//
// Rules of NAT are asked at a flow's first packet alone. UDP has no end: who sends on and on from one port would go on reaching the
// container that had the port before, or the host, if it began before there was one.
#pragma once

#include "cosonet/fw.h"
#include "cosonet/netlink.h"

// Forgets the UDP flows to published ports that lead to a container of this bridge, or to the host itself. A flow whose rule stays gets
// it again with its next packet. `route` is of NETLINK_ROUTE. Where the kernel can't tell of flows, they stay.
void flows_forget(struct netlink *route, const struct fw_net *net, const struct publish_list *list);
