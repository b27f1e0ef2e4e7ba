// SPDX-License-Identifier: GPL-2.0-or-later
// digest.h - SHA-256 of a file
#pragma once

#include "shared/err.h"

#include <stdbool.h>

enum { DIGEST_HEX = 64 };

// Reads the whole file, from its start whatever its offset, into lower-case hexadecimal digits and a NUL.
int digest_file(int fd, char out_hex[DIGEST_HEX + 1], struct err *err);

// Whether the text is a SHA-256 in hexadecimal, either case.
bool digest_valid(const char *hex);
