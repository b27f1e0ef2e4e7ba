// SPDX-License-Identifier: GPL-2.0-or-later
// keyring.h - a session keyring of the container's own. keyrings(7)
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

// Inside, as the container's root: the caller's keys aren't the container's. An OCI container's keyring is named after it, so that
// another process of it joins the same. A kernel or filter without keyrings is no error.
int keyring_join(const struct spec *spec, struct err *err);
