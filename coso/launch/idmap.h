// SPDX-License-Identifier: GPL-2.0-or-later
// idmap.h - writes a child's uid_map and gid_map. user_namespaces(7)
#pragma once

#include "shared/err.h"

#include "coso/spec/spec.h"
#include "shared/arena.h"

#include <stdbool.h>
#include <sys/types.h>

struct idmap {
	bool privileged; // the caller is root: written directly
	const struct spec_idmaps *uids, *gids;
};

// Outside, after clone3. As root directly; as an ordinary user one id directly (setgroups denied first) or more through
// newuidmap(1) and newgidmap(1).
int idmap_write(struct arena *arena, pid_t pid, const struct idmap *map, struct err *err);

// Runs `act` in a child that is root of a new user namespace with this map, and waits for it. For files that an ordinary user's
// container left behind with ids that only such a namespace owns.
int idmap_run_inside(struct arena *arena, const struct idmap *map, int (*act)(void *data, struct err *err), void *data,
		     struct err *err);
