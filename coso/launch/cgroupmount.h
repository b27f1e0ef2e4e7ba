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

struct cgroup_hierarchy;

// For restore, of a container without a cgroup namespace: what is to be seen of a hierarchy that it has a group in, attached nowhere.
// Returns a descriptor, or -1. Its mount point is the item's path itself, or below that the folder of this name.
int cgroupmount_open(const struct cgroup_hierarchy *hierarchy, const struct mounts_item *item, struct err *err);
const char *cgroupmount_name(const struct cgroup_hierarchy *hierarchy);
