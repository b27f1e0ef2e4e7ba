// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_json.h - a seccomp profile from JSON: Docker's format, or the linux.seccomp object of the OCI runtime specification
//
// Docker's is a superset: `archMap`, and `includes` and `excludes` by capability, architecture and kernel. Both are read alike.
// System calls that nobody knows are no error here: the compiler decides; architectures that this machine isn't are skipped.
// config-linux.md, "Seccomp"
#pragma once

#include "coso/launch/seccomp_profile.h"
#include "shared/err.h"

#include <jansson.h>

// What conditions are decided by.
struct seccomp_host {
	uint32_t arch;              // SCMP_ARCH_*
	uint64_t caps;              // the container's bounding set
	unsigned int kernel, major; // of the running kernel: 6, 18
};

// Fills in the running kernel and the machine that COSO was built for.
void seccomp_json_host(struct seccomp_host *out_host, uint64_t caps);

// Reads a file's text. Messages name the place ("syscalls[3].args[0].op") and the value.
int seccomp_json_read(struct seccomp_profile *out_profile, struct arena *arena, const char *text, size_t size,
		      const struct seccomp_host *host, struct err *err);

// Reads an object that was parsed already; `where` goes before every place ("linux.seccomp.", or "").
int seccomp_json_convert(struct seccomp_profile *out_profile, struct arena *arena, const json_t *object, const char *where,
			 const struct seccomp_host *host, struct err *err);
