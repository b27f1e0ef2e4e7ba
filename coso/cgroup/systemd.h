// SPDX-License-Identifier: GPL-2.0-or-later
// systemd.h - groups that systemd makes: scopes (or slices) with a unit's properties. systemd.resource-control(5)
//
// coso-scope, a program of its own, speaks to systemd; it is beside coso, or in the libexec of the same installation. systemd makes the
// unit's group in the hierarchies that it manages; the others, and all values, are set through the files as for any group. The unit has
// the limits as properties too, so that systemd doesn't take them back. A scope can't be made empty: a process that does nothing keeps it
// until the container's has joined.
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct systemd_name {
	const char *unit;  // "docker-ID.scope"
	const char *slice; // "a-b.slice"
	const char *group; // where that is below the manager's root: "/a.slice/a-b.slice/docker-ID.scope"
};

// From a cgroupsPath "slice:prefix:name"; NULL: ":coso:ID".
int systemd_parse(struct arena *arena, const struct cgroup_name *name, bool user, struct systemd_name *out_name, struct err *err);

// True if the user's manager is the one to ask: the caller isn't root of the host.
bool systemd_is_user(void);

// The limits as properties, "?NAME=VALUE" each: a systemd that doesn't know one goes without.
void systemd_limits(struct arena *arena, const struct spec_resources *resources, bool v2, struct strv *out_words);

// Starts the unit of `cgroup`, with the keeper in it, and fills the folders of all usable hierarchies. On failure there is no unit.
int systemd_start(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err);

// Ends the keeper, if there is one.
void systemd_release(struct cgroup *cgroup);

// Stops the unit, in which nothing runs any more, and has systemd forget how it ended. One that is gone is no error.
int systemd_stop(const struct cgroup *cgroup, struct err *err);

// Sets the limits as properties of the unit.
int systemd_set(const struct cgroup *cgroup, const struct spec_resources *resources, struct err *err);
