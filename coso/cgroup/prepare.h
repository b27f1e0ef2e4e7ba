// SPDX-License-Identifier: GPL-2.0-or-later
// prepare.h - what a new group takes before a process can be in it and a limit can be set
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/settings.h"
#include "shared/err.h"

// v1: fills a cpuset. v2: has the groups above hand controllers down, those that `settings` takes there or `all` that there are.
int prepare_group(struct cgroup *cgroup, size_t index, const struct settings *settings, bool all, struct err *err);

// v2: the controllers alone, for a group that is in use.
int prepare_controllers(struct cgroup *cgroup, size_t index, const struct settings *settings, bool all, struct err *err);
