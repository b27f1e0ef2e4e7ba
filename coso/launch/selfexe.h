// SPDX-License-Identifier: GPL-2.0-or-later
// selfexe.h - nothing inside can write the host's coso binary, whatever the image's program is (CVE-2019-5736)
//
// An image whose program is `#!/proc/self/exe`, or one that opens /proc/1/exe of a container with --init, gets a handle on our
// binary. Where ids of the container own nothing of it on the host (a user namespace, and a binary of root's) that handle can't be
// opened for writing, and nothing is done. Otherwise we run from a copy that can't be written:
// a private read-only mount of the same file, which no namespace holds once it is executed and which therefore can't be remounted;
// where mounts may not be cloned, a sealed memfd.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <stdbool.h>

// True if an id that `spec` maps into the container could write the file that this process runs from.
bool selfexe_is_exposed(const struct spec *spec);

// The same before anything is known of the container: false only where no id that the caller could map may write the file.
bool selfexe_may_be_exposed(void);

// Runs this program again, from its start, from a copy that can't be written. Returns only on failure.
int selfexe_protect(char *const argv[], struct err *err);
