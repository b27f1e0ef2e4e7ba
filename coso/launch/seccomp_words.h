// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_words.h - words of seccomp profiles: SCMP_ACT_*, SCMP_CMP_*, SECCOMP_FILTER_FLAG_*. config-linux.md, "Seccomp"
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum seccomp_words { SECCOMP_WORDS_ACTIONS, SECCOMP_WORDS_OPERATORS, SECCOMP_WORDS_FLAGS };

// What a word stands for: libseccomp's number, or the kernel's flag. 0 is a flag without effect. False: no such word.
bool seccomp_words_find(enum seccomp_words kind, const char *word, uint32_t *out);
