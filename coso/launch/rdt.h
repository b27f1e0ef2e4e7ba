// SPDX-License-Identifier: GPL-2.0-or-later
// rdt.h - intelRdt: shares of cache and memory bandwidth, as groups of resctrl. OCI config-linux.md; Documentation/filesystems/resctrl.rst
//
// All of it happens outside, and only if spec->rdt.given. Order of use: rdt_find, rdt_locate, rdt_make and rdt_set before the child is
// made, rdt_assign once there is a pid and before its program runs, also for what exec starts; in the end rdt_remove, which may be
// called by another process, that did the first two again.
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct rdt {
	struct arena *arena;
	const struct spec_rdt *spec;
	const char *root;    // of resctrl
	const char *group;   // folder of the class
	const char *monitor; // folder of the container's own monitoring group in it; NULL: none
	bool own;            // the class is the container's own: made by rdt_make, and removed in the end
	bool made;           // rdt_make has just made the class
};

// Where resctrl is mounted, of the text of /proc/self/mountinfo (mountinfo NULL: read it), or NULL: nowhere.
const char *rdt_find(struct arena *arena, const char *mountinfo, struct err *err);

// Which groups a container `id` has below the folder `root`. Touches nothing.
struct rdt rdt_locate(struct arena *arena, const char *root, const struct spec_rdt *spec, const char *id);

// Makes the groups that aren't there. A class without a schema has to be there; one with a schema that is there has to have that
// schema already; the container's own must not be there. On failure nothing is left.
int rdt_make(struct rdt *rdt, struct err *err);

// Writes the schema of a class that rdt_make has just made, or removes it again and says what the hardware doesn't like about it.
int rdt_set(struct rdt *rdt, struct err *err);

// Puts a process, and those that it will make, into the groups.
int rdt_assign(const struct rdt *rdt, pid_t pid, struct err *err);

// Removes what is the container's own: the monitoring group, and the class unless it has a name of its own (closID). Missing is fine.
int rdt_remove(const struct rdt *rdt, struct err *err);
