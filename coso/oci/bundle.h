// SPDX-License-Identifier: GPL-2.0-or-later
// bundle.h - a bundle: the folder with config.json. runtime-spec, bundle.md
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <jansson.h>
#include <stddef.h>

struct bundle_text {
	const char *data;
	size_t size;
};

// Reads `name` (in `dir`, or AT_FDCWD) once, and makes the spec of a container `id`. `bundle` is the bundle's absolute path.
// *out_config owns what the spec points at: json_decref it in the end. *out_text, unless NULL, is the file as it was read.
int bundle_read(struct arena *arena, int dir, const char *name, const char *bundle, const char *id, struct spec *out_spec,
		json_t **out_config, struct bundle_text *out_text, struct err *err);
