// SPDX-License-Identifier: GPL-2.0-or-later
// place.h - where the engine keeps things
//
//   run/<id>/          state of a container that runs: state.json, network/              (root: /run/coso)
//   run/.owners/       claims, see claim.h
//   lib/containers/<id>/  log, data/upper, data/work                                  (root: /var/lib/coso)
//   lib/cache/         compiled seccomp filters
//   lib/.boot          a link to the boot (random(4), boot_id) that lib/containers is of
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct place {
	const char *run, *lib; // absolute paths
	bool is_system;        // /run/coso: its containers' groups have their names alone
	int run_fd;            // open, 0700
	int owners_fd;         // run/.owners
	int lib_fd;
	int cache_fd; // lib/cache
};

// Finds and makes the folders: of root, of an ordinary user (XDG), or `root`/run and `root`/lib (--root).
int place_open(struct arena *arena, const char *root, struct place *out_place, struct err *err);
void place_close(struct place *place);

// The same for who only looks: nothing is made. Only `run_fd` is opened, and stays -1 if there is no such folder.
int place_look(struct arena *arena, const char *root, struct place *out_place, struct err *err);

// lib/cache alone, made if need be; -1: there can't be one, and nothing is kept.
int place_open_cache(struct arena *arena);

// Makes the folder of one container below lib, which whoever holds its claim may do, and opens it with a lock on it, the owner's as long
// as it lives. What is left of one that no state tells of is removed. EBUSY: that one lives.
int place_make_container(const struct place *place, const char *id, struct err *err);

// Removes the folder of a container that no state tells of, for who holds the claim. EBUSY: that one lives.
int place_remove_stray(const struct place *place, const char *id, struct err *err);

// True if the folder of that name below lib has an owner that lives, and still lives after `timeout_ms`.
bool place_is_held(const struct place *place, const char *id, int timeout_ms);

// What the container's control group is called.
const char *place_group(struct arena *arena, const struct place *place, const char *id);

// Paths of one container.
const char *place_state(struct arena *arena, const struct place *place, const char *id);
const char *place_container(struct arena *arena, const struct place *place, const char *id);
const char *place_data(struct arena *arena, const struct place *place, const char *id);

// The default rootfs: /tmp/coso/rootfs, or an ordinary user's $XDG_DATA_HOME/coso/rootfs.
const char *place_default_rootfs(struct arena *arena);
