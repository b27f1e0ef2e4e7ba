// SPDX-License-Identifier: GPL-2.0-or-later
// bundle.h - a bundle: the folder with config.json. runtime-spec, bundle.md
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <jansson.h>
#include <stddef.h>

// Where a configuration is read from, and whose it is.
struct bundle_file {
	int dir; // AT_FDCWD or a folder
	const char *name;
	const char *bundle; // absolute
	const char *id;     // of the container
};

struct bundle {
	json_t *config;   // owns what `spec` points at: json_decref it in the end
	const char *text; // the file as it was read
	size_t size;
};

// Reads it once, and makes the spec.
int bundle_read(struct arena *arena, const struct bundle_file *file, struct spec *out_spec, struct bundle *out, struct err *err);
