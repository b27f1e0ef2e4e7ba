// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_builtin.h - the filters that were compiled when COSO was built; seccomp_build/main.c writes the C file
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct seccomp_builtin {
	uint64_t caps; // of those that the default profile asks about
	const struct sock_filter *filter;
	unsigned short count;
};

extern const uint32_t seccomp_builtin_arch; // SCMP_ARCH_* that they are for
extern const struct seccomp_builtin seccomp_builtin_defaults[];
extern const size_t seccomp_builtin_default_count;
extern const struct seccomp_builtin seccomp_builtin_barco;
