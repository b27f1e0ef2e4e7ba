// SPDX-License-Identifier: GPL-2.0-or-later
// adopt.h - `cosonet -adopt LINK[:NAME] -pid PID`: a link of the host becomes the container's. OCI config-linux.md, netDevices
#pragma once

#include "cosonet/request.h"

// Moves each link of request->adopts into the network namespace of request->pid, under its name there, with its MTU, its MAC and its
// permanent global addresses, and brings it up. All or nothing: on failure those that were moved come back. Whatever becomes of them
// later is the container's and the kernel's business. Should: be called before the container's program runs. 0 or -1.
int adopt_run(const struct request *request, struct err *err);
