// SPDX-License-Identifier: GPL-2.0-or-later
// features.h - what this runtime can do. runtime-spec, features.md and features-linux.md
#pragma once

#include <jansson.h>

// The features structure: a property of this build, not of the host. The caller frees it.
json_t *oci_features(void);
