// SPDX-License-Identifier: GPL-2.0-or-later
// spec_file.h - a config.json to start from
#pragma once

#include "shared/err.h"

#include <stdbool.h>

// Writes `bundle`/config.json: `sh` on a terminal, in rootfs, with few capabilities, as root or, rootless, for the caller's own ids. A
// file that is there is an error. 0 or -1.
int oci_spec_write(const char *bundle, bool rootless, struct err *err);
