// SPDX-License-Identifier: GPL-2.0-or-later
// attach.h - `cosonet -pid PID`: connects a container's network namespace, and gives it back
#pragma once

#include "cosonet/lease.h"
#include "cosonet/request.h"

struct attached {
	struct lease lease;
	struct link inside;                 // the container's interface
	struct num_cidr gateway4, gateway6; // gateway6.family 0: none
	bool release;                       // `cosonet -release` is owed when the container has ended
	bool guarded;                       // it can send as nobody else; false where the kernel can't see to that
};

// All or nothing: makes the bridge too where it is missing. 0 or -1.
int attach_run(const struct request *request, struct attached *out, struct err *err);

// `cosonet -release`: removes the rules of the container COSO_ID, and of all that are gone. Nothing there is fine. 0 or -1.
int attach_release(const struct request *request, struct err *err);
