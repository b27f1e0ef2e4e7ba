// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_words.h - words of seccomp profiles: SCMP_ACT_*, SCMP_CMP_*, SCMP_ARCH_*, SECCOMP_FILTER_FLAG_*. config-linux.md, "Seccomp"
#pragma once

#include "shared/arena.h"
#include "shared/str.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // Linux 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum seccomp_words { SECCOMP_WORDS_ACTIONS, SECCOMP_WORDS_OPERATORS, SECCOMP_WORDS_ARCHS, SECCOMP_WORDS_FLAGS };

// What a word stands for: libseccomp's number, or the kernel's flag. 0 is an architecture that COSO doesn't run on, or a flag without
// effect. False: no such word.
bool seccomp_words_find(enum seccomp_words kind, const char *word, uint32_t *out);

// All of a kind, sorted.
struct strv seccomp_words_list(struct arena *arena, enum seccomp_words kind);
