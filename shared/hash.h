// SPDX-License-Identifier: GPL-2.0-or-later
// hash.h - a number for some bytes
#pragma once

#include <stddef.h>
#include <stdint.h>

// FNV-1a, 64 bits. It doesn't withstand an attacker: who could choose two texts of one number.
uint64_t hash_bytes(const void *data, size_t size);
