// SPDX-License-Identifier: GPL-2.0-or-later
// netns.h - the network namespace of a process that somebody named by its pid
#pragma once

#include "shared/err.h"

#include <sys/types.h>

struct netns {
	int pidfd; // held to the end, so that a pid that was used again is never taken for the first
	int own;   // the namespace we came from
	int fd;    // theirs
};

#define NETNS_NONE ((struct netns){ -1, -1, -1 })

// Opens the namespace of `pid`. Refuses a process that is gone, one in our own namespace, and a namespace whose owner (the user
// namespace behind it, ioctl_ns(2)) the caller has no right over. 0 or -1.
int netns_open(struct netns *netns, pid_t pid, struct err *err);
void netns_close(struct netns *netns);

#define own_netns __attribute__((cleanup(netns_close)))

// Moves this process into their namespace, or back into our own. setns(2)
int netns_enter(const struct netns *netns, struct err *err);
int netns_leave(const struct netns *netns, struct err *err);
