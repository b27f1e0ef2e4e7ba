// SPDX-License-Identifier: GPL-2.0-or-later
// caller.h - what the calling process may do: user 0 isn't always root. user_namespaces(7), capabilities(7)
//
// Root of the host, root of a user namespace (unshare -Ur, a rootless container), root that lost capabilities (an ordinary
// container) and an ordinary user differ in what they can map and mount, not in their user id.
#pragma once

#include "coso/spec/spec.h"

#include <stdbool.h>

struct caller {
	bool privileged; // user 0 of the host's user namespace with CAP_SYS_ADMIN: clones and id-maps mounts in its own mount namespace
	bool maps_ids;  // CAP_SETUID and CAP_SETGID: writes any map of the ids that it has itself
	bool no_groups; // setgroups(2) is denied to this user namespace and those below
	bool nested;    // its user namespace isn't the host's
};

// Asks the kernel. Where /proc is of no help, what is unknown counts as not permitted.
struct caller caller_look(void);

// True if root's own folders (/run, /var/lib) are the caller's: user 0, and in a user namespace only if they may be written.
bool caller_owns_system(void);

// The ids that the caller's user namespace has: of `file` ("uid_map", "gid_map"), each mapped to itself. Empty if unknown.
struct spec_idmaps caller_ids(struct arena *arena, const char *file);
