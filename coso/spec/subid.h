// SPDX-License-Identifier: GPL-2.0-or-later
// subid.h - which ids a container is given: /etc/subuid and /etc/subgid, or a default. subuid(5)
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

// Root without an entry in /etc/subuid gives each container a range of its own, chosen by its id: SUBID_SIZE ids from
// SUBID_FIRST + n * SUBID_SIZE, 0 <= n < SUBID_SLOTS. That is above what systemd hands out and below what it reserves.
#define SUBID_FIRST 0x70000000U
#define SUBID_SIZE 65536U
#define SUBID_SLOTS 4000U

// The maps of an ordinary user's container: one's own ids as root, then the subordinate range where there is one.
void subid_own_maps(struct arena *arena, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids);

// The maps of a container `id` that root starts: root's range in /etc/subuid, else the container's own.
void subid_root_maps(struct arena *arena, const char *id, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids);

// The map of a user namespace as proc shows it ("/proc/PID/uid_map"). Empty if it can't be read.
struct spec_idmaps subid_read_maps(struct arena *arena, const char *path);

// One map, "CONTAINER:HOST:SIZE" or "CONTAINER:HOST" (one id), added to a list. `what` names the option.
int subid_parse_map(struct arena *arena, const char *what, const char *text, struct spec_idmaps *maps, struct err *err);

// 0 if the maps have the container's root, who mounts and drops rights before the program's user comes.
int subid_check_root(const char *what, const struct spec_idmaps *maps, struct err *err);

// Finds the first range of a user in the text of such a file; the user is named, or a number. False if there is none. (cosofs unpacks
// an ordinary user's root file system with the ids of the same range.)
bool subid_find(const char *text, const char *name, uint32_t uid, uint32_t *out_first, uint32_t *out_size);
