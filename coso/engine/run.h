// SPDX-License-Identifier: GPL-2.0-or-later
// run.h - a container from its beginning to its end, in the foreground or behind a monitor
#pragma once

#include "coso/engine/place.h"
#include "coso/spec/spec.h"
#include "shared/err.h"

struct run {
	const struct place *place;
	const char *pid_file; // --pid-file: the container's pid goes there; NULL: nowhere
	const char *trace;    // --trace
};

// Runs the container that `spec` describes. Returns 0 with its exit code (detached: 0 once its program is executed); -1 with
// *out_exit_code 125, 126 or 127. err->code EUSERS: as launch_start has it.
int run_container(const struct run *run, const struct spec *spec, int *out_exit_code, struct err *err);

// A new id: 12 hexadecimal digits.
const char *run_new_id(struct arena *arena);

// Checks an id that somebody chose.
int run_check_id(const char *id, struct err *err);
