// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_profile.c - makes profiles, and the key under which the cache keeps their filters

#include "coso/launch/seccomp_profile.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Goes up when the same profile compiles to another filter than before.
enum { COMPILER_VERSION = 1 };

uint32_t seccomp_profile_arch(const char *machine)
{
	if (!strcmp(machine, "x86_64"))
		return SCMP_ARCH_X86_64;
	return !strcmp(machine, "aarch64") ? SCMP_ARCH_AARCH64 : 0;
}

void seccomp_profile_init(struct seccomp_profile *profile, struct arena *arena, uint32_t arch, bool compat)
{
	*profile = (struct seccomp_profile){
		.arena = arena,
		.default_action = SCMP_ACT_ERRNO(1),
		// From Linux 5.16 on this is how it is anyway; before, a filter would slow every branch (spec_store_bypass).
		.flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW,
	};
	seccomp_profile_add_arch(profile, arch);
	if (compat && arch == SCMP_ARCH_X86_64) {
		seccomp_profile_add_arch(profile, SCMP_ARCH_X86);
		seccomp_profile_add_arch(profile, SCMP_ARCH_X32);
	}
	if (compat && arch == SCMP_ARCH_AARCH64)
		seccomp_profile_add_arch(profile, SCMP_ARCH_ARM);
}

bool seccomp_profile_add_arch(struct seccomp_profile *profile, uint32_t arch)
{
	for (size_t i = 0; i < profile->arch_count; i++)
		if (profile->archs[i] == arch)
			return true;
	if (profile->arch_count == SECCOMP_ARCHS_MAX)
		return false;
	profile->archs[profile->arch_count++] = arch;
	return true;
}

struct seccomp_rule *seccomp_profile_add_rule(struct seccomp_profile *profile, uint32_t action, const char *where)
{
	profile->rules = arena_grow(profile->arena, profile->rules, profile->rule_count, sizeof *profile->rules);
	struct seccomp_rule *rule = &profile->rules[profile->rule_count++];

	rule->action = action;
	rule->where = where;
	return rule;
}

bool seccomp_profile_permits(uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG || kind == SECCOMP_RET_TRACE;
}

char *seccomp_profile_key(const struct seccomp_profile *profile, size_t *out_size)
{
	const struct scmp_version *library = seccomp_version();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); // no memory: as an arena does
	fprintf(out, "seccomp %d libseccomp %u.%u.%u default %x%s archs", COMPILER_VERSION, library->major, library->minor,
		library->micro, profile->default_action, profile->strict ? " strict" : "");
	for (size_t i = 0; i < profile->arch_count; i++)
		fprintf(out, " %x", profile->archs[i]);
	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct seccomp_rule *rule = &profile->rules[i];

		fprintf(out, "\n%x", rule->action);
		for (size_t n = 0; n < rule->names.count; n++)
			fprintf(out, " %s", rule->names.items[n]);
		for (size_t n = 0; n < rule->condition_count; n++)
			fprintf(out, " ?%u:%d:%llx:%llx", rule->conditions[n].index, rule->conditions[n].op,
				(unsigned long long)rule->conditions[n].value, (unsigned long long)rule->conditions[n].value_two);
	}
	if (fclose(out) || !text)
		abort();
	char *key = arena_strndup(profile->arena, text, size);

	free(text);
	*out_size = size;
	return key;
}
