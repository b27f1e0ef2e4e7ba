// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_cache.h - compiled filters in a folder that only the caller writes to
//
// A file holds the whole key of its filter, so two profiles never share one, and a checksum. Whatever is wrong with a file, the
// caller compiles and stores again; nothing that happens here is an error.
#pragma once

#include "shared/arena.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

// Finds the filter of `key`; it is in the arena. `folder` is a descriptor (O_PATH will do), or -1: never found.
bool seccomp_cache_find(int folder, struct arena *arena, const char *key, size_t key_size, struct sock_fprog *out_program);

// Stores it, whole or not at all. When the folder has SECCOMP_CACHE_MAX filters, these are removed first.
void seccomp_cache_store(int folder, struct arena *arena, const char *key, size_t key_size, const struct sock_fprog *program);

enum { SECCOMP_CACHE_MAX = 64 };
