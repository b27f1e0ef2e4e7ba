// SPDX-License-Identifier: GPL-2.0-or-later
// source.h - archives as the user names them
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

// Opens a file to read: a regular one, never waiting on a FIFO or a device. A descriptor or -1.
int source_open_file(const char *path, struct err *err);

// Whether the text is a URL ("scheme://…") and not a path.
bool source_is_url(const char *text);

// The path of a "file:///…" URL, its %XX decoded.
const char *source_file_url(struct arena *arena, const char *url);
