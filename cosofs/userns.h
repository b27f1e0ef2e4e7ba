// SPDX-License-Identifier: GPL-2.0-or-later
// userns.h - lets an ordinary user make files of many owners: a user namespace whose root is that user
#pragma once

#include "shared/err.h"

enum userns {
	USERNS_ROOT,   // the caller is root: nothing was done
	USERNS_RANGE,  // root is the caller, further ids are the caller's range in /etc/subuid and /etc/subgid
	USERNS_SINGLE, // root is the caller, and there is no other id
	USERNS_NONE,   // no user namespace can be made here: the caller stays who they are
};

// Moves the calling process, which must have one thread, into such a namespace. user_namespaces(7), newuidmap(1).
// Without a range, or where newuidmap fails, one id is mapped. -1 only if the process is left without any id.
int userns_enter(enum userns *out_kind, struct err *err);
