// SPDX-License-Identifier: GPL-2.0-or-later
// num.h - the one strict parser of numbers, sizes, ids, durations and addresses
//
// Digits only: no sign, white space, 0x or trailing bytes unless said. Each returns 0, or -1 with a message that names `what`
// (for example "--memory") and the value; the out-parameter is untouched on failure.
#pragma once

#include "shared/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

int num_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err);
int num_i64(const char *what, const char *text, int64_t min, int64_t max, int64_t *out, struct err *err); // one '-' allowed

// A user or group id: 0 to 4294967294.
int num_id(const char *what, const char *text, uint32_t *out, struct err *err);

// Bytes: digits, then nothing or one of b k m g t, or kb kib … (powers of 1024, either case), as Docker takes them.
int num_size(const char *what, const char *text, uint64_t *out, struct err *err);

// A decimal fraction such as 1.5 or .5, in units of 1/scale: num_decimal("--cpus", "1.5", 1000, …) gives 1500.
int num_decimal(const char *what, const char *text, uint64_t scale, uint64_t *out, struct err *err);

struct num_cidr {
	int family; // AF_INET or AF_INET6
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} addr;              // network byte order, host bits as given
	unsigned int prefix; // bits
};

// ADDRESS or ADDRESS/BITS, IPv4 or IPv6; without /BITS the prefix is 32 or 128.
int num_cidr(const char *what, const char *text, struct num_cidr *out, struct err *err);

// Whether two addresses begin with the same bits.
bool num_same_bits(const void *a, const void *b, unsigned int bits);
