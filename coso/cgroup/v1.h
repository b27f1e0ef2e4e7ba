// SPDX-License-Identifier: GPL-2.0-or-later
// v1.h - limits in the files of cgroup v1. Documentation/admin-guide/cgroup-v1
#pragma once

#include "coso/cgroup/settings.h"

// Each adds the settings that `resources` asks of one controller, in the order in which the kernel takes them.
int v1_memory(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_cpu(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_cpuset(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_pids(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_io(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_hugetlb(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_net_class(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_net_priorities(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v1_rdma(struct settings *settings, const struct spec_resources *resources, struct err *err); // v2's is the same

// Gives the cpuset group `folder`, and those above, the CPUs and memory nodes of the group above where they have none: without them
// no process can join. cpusets(7)
int v1_cpuset_inherit(struct arena *arena, const struct cgroup_hierarchy *hierarchy, struct err *err);
