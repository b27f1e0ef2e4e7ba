// SPDX-License-Identifier: GPL-2.0-or-later
// answer.h - what cosonet prints: the answer to -pid, and status
#pragma once

#include "cosonet/attach.h"

// One JSON object on stdout: interfaces, gateways, dns, release, warnings (the contract of the network executable). 0 or -1.
int answer_attached(const struct attached *attached, struct err *err);

// Bridge, networks, firewall, leases and published ports; as JSON with request->json. 0 or -1.
int answer_status(const struct request *request, struct err *err);
