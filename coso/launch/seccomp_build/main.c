// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - compiles the default and the barco profile into a C file; runs on the machine that builds COSO, for the one that it is for
//
// usage: seccomp_build MACHINE > FILE

#include "coso/launch/seccomp_compile.h"
#include "coso/launch/seccomp_tables.h"

#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>

#define BIT(number) (UINT64_C(1) << (number))

enum { CASES_MAX = 64 + 3 };

static void fail(const char *reason)
{
	fprintf(stderr, "seccomp_build: %s\n", reason);
	exit(1);
}

static void print_filter(const char *name, const struct seccomp_profile *profile, unsigned int *out_count)
{
	struct sock_fprog program;
	struct err err = { 0 };

	if (seccomp_compile(profile, &program, &err))
		fail(err.msg);
	printf("\nstatic const struct sock_filter %s[] = {\n", name);
	for (unsigned int i = 0; i < program.len; i++) {
		const struct sock_filter *code = &program.filter[i];

		printf("\t{ %#x, %u, %u, %#x },\n", code->code, code->jt, code->jf, code->k);
	}
	printf("};\n");
	*out_count = program.len;
}

// Which sets of capabilities have a filter of their own: none, Docker's (of all that it has, the profile asks about SYS_CHROOT
// alone), this and any one more, and all.
static size_t cases_list(uint64_t cases[CASES_MAX])
{
	uint64_t asked = seccomp_tables_asked(), usual = BIT(CAP_SYS_CHROOT);
	size_t count = 0;

	cases[count++] = usual;
	cases[count++] = 0;
	cases[count++] = asked;
	for (int number = 0; number < 64; number++)
		if (asked & ~usual & BIT(number))
			cases[count++] = usual | BIT(number);
	return count;
}

static void print_all(struct arena *arena, uint32_t arch)
{
	struct seccomp_profile profile;
	uint64_t cases[CASES_MAX];
	unsigned int sizes[CASES_MAX], barco_size;
	size_t count = cases_list(cases);
	char name[32];

	printf("// SPDX-License-Identifier: GPL-2.0-or-later\n// Written by seccomp_build: don't edit.\n"
	       "#include \"coso/launch/seccomp_builtin.h\"\n\nconst uint32_t seccomp_builtin_arch = %#x;\n",
	       arch);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "default_%zu", i);
		seccomp_tables_default(&profile, arena, arch, cases[i]);
		print_filter(name, &profile, &sizes[i]);
	}
	seccomp_tables_barco(&profile, arena, arch);
	print_filter("barco", &profile, &barco_size);
	printf("\nconst struct seccomp_builtin seccomp_builtin_defaults[] = {\n");
	for (size_t i = 0; i < count; i++)
		printf("\t{ %#llx, default_%zu, %u },\n", (unsigned long long)cases[i], i, sizes[i]);
	printf("};\n\nconst size_t seccomp_builtin_default_count = %zu;\n", count);
	printf("const struct seccomp_builtin seccomp_builtin_barco = { 0, barco, %u };\n", barco_size);
}

int main(int argc, char **argv)
{
	own_arena struct arena arena = { 0 };
	uint32_t arch;

	if (argc != 2)
		fail("usage: seccomp_build MACHINE > FILE");
	arch = seccomp_profile_arch(argv[1]);
	if (!arch)
		fail("COSO has seccomp profiles for x86_64 and aarch64 only");
	print_all(&arena, arch);
	if (fflush(stdout) || ferror(stdout))
		fail("writing failed");
	return 0;
}
