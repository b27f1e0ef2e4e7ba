// SPDX-License-Identifier: GPL-2.0-or-later
// idmap.h - writes a child's uid_map and gid_map. user_namespaces(7)
#pragma once

#include "shared/err.h"

#include "coso/spec/caller.h"
#include "coso/spec/spec.h"
#include "shared/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct idmap {
	const struct caller *caller;
	const struct spec_idmaps *uids, *gids;
};

// The id that one of the container's is in the caller's user namespace. False: it has none.
bool idmap_find(const struct spec_idmaps *maps, uint32_t id, uint32_t *out_id);

// Outside, after clone3. With CAP_SETUID and CAP_SETGID directly; without them one id directly (setgroups denied first) or more
// through newuidmap(1) and newgidmap(1).
int idmap_write(struct arena *arena, pid_t pid, const struct idmap *map, struct err *err);

// True if setgroups(2) is denied in a user namespace that idmap_write gave this map.
bool idmap_denies_groups(const struct caller *caller, const struct spec_idmaps *gids);

// Runs `act` in a child that is root of a new user namespace with this map, and waits for it. For files that an ordinary user's
// container left behind with ids that only such a namespace owns.
int idmap_run_inside(struct arena *arena, const struct idmap *map, int (*act)(void *data, struct err *err), void *data,
		     struct err *err);
