// SPDX-License-Identifier: GPL-2.0-or-later
// folder.h - the folders of a group: where its name is in each hierarchy, made with those above, removed again
#pragma once

#include "coso/cgroup/cgroup.h"
#include "shared/err.h"

// A cgroupsPath as a path below some root: no leading "/", no empty part, no "."; ".." takes the part before it, and is nothing at the
// start. "" if nothing is left.
const char *folder_clean(struct arena *arena, const char *path);

// Refuses a name that no group can have.
int folder_check(const struct cgroup_name *name, struct err *err);

// Fills `folder` and `made` (what is missing now) of one hierarchy.
void folder_locate(struct cgroup *cgroup, size_t index, const struct cgroup_name *name);

// Fills `made` alone, for a folder that is known.
void folder_count(struct arena *arena, struct cgroup_hierarchy *hierarchy);

// Makes the folder and those above that are missing, and corrects `made`. With `fresh` one that is there is made anew; EEXIST if it can't
// be. On failure nothing is left.
int folder_make(struct arena *arena, struct cgroup_hierarchy *hierarchy, bool fresh, struct err *err);

// Takes back what folder_make made, as far as it is empty.
void folder_unmake(struct arena *arena, const struct cgroup_hierarchy *hierarchy);

// After the last part of `folder` is gone: removes those above it that were made for it and are empty.
int folder_remove_above(struct arena *arena, const struct cgroup_hierarchy *hierarchy, struct err *err);

// The folder above; NULL at the root.
const char *folder_above(struct arena *arena, const char *folder);
