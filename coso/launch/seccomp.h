// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp.h - the system call filter: chosen and compiled before clone3, applied by the child just before exec. seccomp(2)
//
// The default profile (Docker's) is compiled when COSO is built, one filter per set of capabilities that is common; so is barco's.
// Any other profile is compiled once and kept in a cache.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <linux/filter.h>

struct seccomp_profile;

struct seccomp {
	struct sock_fprog program; // len 0: unconfined
	unsigned int flags;        // SECCOMP_FILTER_FLAG_*
	bool notify;               // it asks a listener
	void *owned;               // what seccomp_free gives back; NULL for a built-in filter
	const char *origin;        // for explain and -v: "unconfined", "built-in", "cache", "compiled"
};

// Chooses the filter for a process (its profile and its bounding capabilities). `cache` is a folder (O_PATH or read-only
// descriptor, owned by the caller, mode 0700) or -1 for no cache. 0 or -1.
int seccomp_prepare(const struct spec_process *process, int cache, struct seccomp *out_seccomp, struct err *err);

// The same for a profile that was read elsewhere (seccomp_json.h), such as the linux.seccomp section of a config.json.
int seccomp_prepare_profile(const struct seccomp_profile *profile, int cache, struct seccomp *out_seccomp, struct err *err);

// Applies it to the calling process: async-signal-safe, no memory. Needs CAP_SYS_ADMIN or no_new_privs.
// (Not seccomp_load: that is a function of libseccomp.)
int seccomp_apply(const struct seccomp *seccomp, struct err *err);

// The same for a filter that may ask a listener: *out_listener is its descriptor (CLOEXEC), which notify.h hands over, or -1 where the
// filter asks nobody. SECCOMP_FILTER_FLAG_NEW_LISTENER, Linux 5.0
int seccomp_apply_listening(const struct seccomp *seccomp, int *out_listener, struct err *err);

void seccomp_free(struct seccomp *seccomp);
