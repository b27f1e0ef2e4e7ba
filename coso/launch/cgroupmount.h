// SPDX-License-Identifier: GPL-2.0-or-later
// cgroupmount.h - /sys/fs/cgroup inside: the container's own groups and nothing else. cgroup_namespaces(7)
#pragma once

#include "shared/err.h"

struct launch;
struct mounts_item;

// Inside, once the container's group is joined. Where groups are on v1 (also beside v2): a tmpfs with a folder a hierarchy that the
// container has a group in; with v2 alone, or type "cgroup2": that. In a cgroup namespace of its own these are mounted anew, and show
// no more than the group; else the group's folder is bound. A container without a group sees an empty folder. `target` is the mount
// point.
int cgroupmount_attach(struct launch *launch, const struct mounts_item *item, int target, struct err *err);
