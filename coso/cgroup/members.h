// SPDX-License-Identifier: GPL-2.0-or-later
// members.h - the processes of a group: listed, signalled, frozen
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/arena.h"
#include "shared/err.h"

// The processes of the group `folder` and of those below it.
int members_list(struct arena *arena, const char *folder, struct cgroup_pids *out_pids, struct err *err);

// The folder in which all processes of the group can be found; NULL: there is none.
const char *members_folder(const struct cgroup *cgroup);

// True if the group is frozen on v1: its processes don't die then, wherever they are killed.
bool members_held(const struct cgroup *cgroup);
