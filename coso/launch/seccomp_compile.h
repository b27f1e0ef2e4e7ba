// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_compile.h - from a profile to the kernel's BPF: libseccomp's filter, behind a prologue for calls newer than libseccomp
#pragma once

#include "coso/launch/seccomp_profile.h"
#include "shared/err.h"

#include <linux/filter.h>

// Compiles it; the filter is in the profile's arena. Names that neither libseccomp nor COSO knows are skipped where that leaves the
// call refused, as Docker does; where it would leave it permitted, that is an error. Takes some 10 ms for Docker's profile. 0 or -1.
//
// A call with a higher number than any that the profile names is newer than the profile: it fails with ENOSYS, so that C libraries
// fall back to what they used before it came (unless the default action lets it happen).
int seccomp_compile(const struct seccomp_profile *profile, struct sock_fprog *out_program, struct err *err);
