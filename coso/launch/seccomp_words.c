// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_words.c - words of seccomp profiles
#include "coso/launch/seccomp_words.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	{ NULL, 0 },
};

static const struct word operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 },
};

static const struct word flags[] = {
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, // the process has one thread
	{ NULL, 0 },
};

static const struct word *const tables[] = {
	[SECCOMP_WORDS_ACTIONS] = actions,
	[SECCOMP_WORDS_OPERATORS] = operators,
	[SECCOMP_WORDS_FLAGS] = flags,
};

bool seccomp_words_find(enum seccomp_words kind, const char *word, uint32_t *out)
{
	for (const struct word *known = tables[kind]; known->name; known++) {
		if (strcmp(known->name, word) == 0) {
			*out = known->value;
			return true;
		}
	}
	return false;
}
