// SPDX-License-Identifier: GPL-2.0-or-later
// hooks.h - programs that the configuration wants run at points of a container's life. runtime-spec, config.md "POSIX-platform Hooks"
//
// Each gets the container's state as JSON on stdin. Those of a kind run in order; the first that fails ends it.
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <sys/types.h>

struct launch;

// The state of a container as JSON, without a line end: ociVersion, id, status, pid (0: left out), bundle, annotations.
char *hooks_state(struct arena *arena, const struct spec *spec, const char *status, pid_t pid);

// Outside, in the runtime's namespaces and the bundle's folder. What they say is appended to the files that the annotations
// run.oci.hooks.stdout and run.oci.hooks.stderr name. The message of the one that failed: "error running KIND hook #N: …".
int hooks_run(struct arena *arena, const struct spec *spec, enum spec_hook_kind kind, const char *state, struct err *err);

// As hooks_run, but all of them run, and each that fails is a warning (poststop).
void hooks_run_all(struct arena *arena, const struct spec *spec, enum spec_hook_kind kind, const char *state);

// Inside: createContainer and startContainer. Memory may be taken: a process of one thread is whole after clone3.
int hooks_run_inside(struct launch *launch, enum spec_hook_kind kind, struct err *err);
