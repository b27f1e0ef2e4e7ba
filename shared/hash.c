// SPDX-License-Identifier: GPL-2.0-or-later
// hash.c - a number for some bytes
#include "shared/hash.h"

uint64_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++)
		value = (value ^ bytes[i]) * UINT64_C(0x100000001b3);
	return value;
}
