// SPDX-License-Identifier: GPL-2.0-or-later
// v2.h - limits in the files of cgroup v2, and handing controllers down. Documentation/admin-guide/cgroup-v2.rst
#pragma once

#include "coso/cgroup/settings.h"

// Each adds the settings that `resources` asks of one controller, in the order in which the kernel takes them, or says what v2 can't do.
int v2_memory(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v2_cpu(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v2_cpuset(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v2_pids(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v2_io(struct settings *settings, const struct spec_resources *resources, struct err *err);
int v2_hugetlb(struct settings *settings, const struct spec_resources *resources, struct err *err);

// Enables `controllers` for the children of `folder` where they aren't yet.
int v2_enable(struct arena *arena, const char *folder, const struct strv *controllers, struct err *err);

// Enables controllers in every group above `folder`, from the topmost one that is the caller's: `needed`, or with `all` whatever there
// is; that any of these can't be had is no error then, unless it is needed.
int v2_hand_down(struct arena *arena, const struct cgroup_hierarchy *hierarchy, const struct strv *needed, bool all,
		 struct err *err);

// Takes back all controllers that an empty group hands down, as far as it can: with them no process can be in it.
void v2_hold(struct arena *arena, const char *folder);
