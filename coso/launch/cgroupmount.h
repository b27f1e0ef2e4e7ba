// SPDX-License-Identifier: GPL-2.0-or-later
// cgroupmount.h - /sys/fs/cgroup inside: the container's own groups and nothing else. cgroup_namespaces(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

struct launch;

// Inside, in the container's cgroup namespace, so that each hierarchy shows no more than the container's group. Where groups are on
// v1 (also beside v2): a tmpfs with a folder a hierarchy that the container has a group in; with v2 alone: that. `target` is the
// mount point. Without a cgroup namespace of its own nothing is mounted: it would show every group of the host.
int cgroupmount_attach(struct launch *launch, const struct spec_mount *mount, int target, struct err *err);
