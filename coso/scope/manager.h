// SPDX-License-Identifier: GPL-2.0-or-later
// manager.h - systemd's manager over D-Bus: units that come, go, and change. org.freedesktop.systemd1(5)
#pragma once

#include "coso/scope/variant.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

struct property {
	const char *name;
	bool optional; // a manager that doesn't know it goes without
	struct variant value;
};

struct properties {
	struct property *items;
	size_t count;
};

// Connects to the manager of the system or of the user: directly where that is allowed, else over the bus. Free with manager_close.
int manager_open(bool user, sd_bus **out_bus, struct err *err);
void manager_close(sd_bus **bus);

#define own_manager __attribute__((cleanup(manager_close)))

// Each waits until the manager has done it, for at most 30 s.

// Starts a transient unit and returns its control group, "/system.slice/a.scope", owned by the arena. A failed unit of that name is
// forgotten first; one that runs is an error (EEXIST).
const char *manager_start(sd_bus *bus, struct arena *arena, const char *unit, const struct properties *properties, struct err *err);

// Stops a unit and forgets that it failed. One that isn't there is no error.
int manager_stop(sd_bus *bus, const char *unit, struct err *err);

// Sets properties until the next boot.
int manager_set(sd_bus *bus, const char *unit, const struct properties *properties, struct err *err);
