// SPDX-License-Identifier: GPL-2.0-or-later
// num.c - strict numbers
#include "shared/num.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

// Reads digits from the start of `text`. Returns what follows them, or NULL: no digit, or more than 64 bits.
static const char *digits(const char *text, uint64_t *out)
{
	uint64_t value = 0;
	const char *c = text;
	for (; *c >= '0' && *c <= '9'; c++) {
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			return NULL;
	}
	if (c == text)
		return NULL;
	*out = value;
	return c;
}

int num_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *err)
{
	uint64_t value = 0;
	const char *end = digits(text, &value);
	if (!end || *end || value < min || value > max)
		return err_set(err, EINVAL, "%s '%.80s': not a whole number from %" PRIu64 " to %" PRIu64, what, text, min, max);
	*out = value;
	return 0;
}

int num_i64(const char *what, const char *text, int64_t min, int64_t max, int64_t *out, struct err *err)
{
	bool negative = text[0] == '-';
	uint64_t value = 0;
	const char *end = digits(text + negative, &value);
	if (end && !*end && value <= (uint64_t)INT64_MAX) {
		int64_t result = negative ? -(int64_t)value : (int64_t)value;
		if (result >= min && result <= max) {
			*out = result;
			return 0;
		}
	}
	return err_set(err, EINVAL, "%s '%.80s': not a whole number from %" PRId64 " to %" PRId64, what, text, min, max);
}

int num_id(const char *what, const char *text, uint32_t *out, struct err *err)
{
	uint64_t value = 0;
	if (num_u64(what, text, 0, UINT32_MAX - 1, &value, err) < 0)
		return -1;
	*out = (uint32_t)value;
	return 0;
}

int num_size(const char *what, const char *text, uint64_t *out, struct err *err)
{
	static const char units[] = "bkmgt";
	uint64_t value = 0;
	const char *end = digits(text, &value);
	unsigned int shift = 0;
	if (end && *end) {
		const char *unit = strchr(units, tolower((unsigned char)*end));
		if (!unit)
			end = NULL;
		else {
			shift = 10 * (unsigned int)(unit - units);
			end++;
			if (shift && tolower((unsigned char)*end) == 'i')
				end++;
			if (shift && tolower((unsigned char)*end) == 'b')
				end++;
		}
	}
	if (!end || *end)
		return err_set(err, EINVAL, "%s '%.80s': not a size (a whole number, then b, k, m, g or t)", what, text);
	if (value > (uint64_t)INT64_MAX >> shift)
		return err_set(err, ERANGE, "%s '%.80s': too large", what, text);
	*out = value << shift;
	return 0;
}

int num_decimal(const char *what, const char *text, uint64_t scale, uint64_t *out, struct err *err)
{
	uint64_t whole = 0, part = 0, unit = scale;
	const char *end = *text == '.' ? text : digits(text, &whole);
	if (end && *end == '.') {
		const char *c = end + 1;
		for (; *c >= '0' && *c <= '9'; c++) {
			unit /= 10;
			part += unit * (uint64_t)(*c - '0');
		}
		end = c > end + 1 ? c : NULL;
	}
	if (!end || *end || __builtin_mul_overflow(whole, scale, &whole) || __builtin_add_overflow(whole, part, &whole))
		return err_set(err, EINVAL, "%s '%.80s': not a number such as 2 or 1.5", what, text);
	*out = whole;
	return 0;
}

int num_cidr(const char *what, const char *text, struct num_cidr *out, struct err *err)
{
	char address[INET6_ADDRSTRLEN];
	struct num_cidr cidr = { 0 };
	size_t length = strcspn(text, "/");
	if (length >= sizeof(address))
		return err_set(err, EINVAL, "%s '%.80s': not an IP address", what, text);
	memcpy(address, text, length);
	address[length] = '\0';

	cidr.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(cidr.family, address, &cidr.addr) != 1)
		return err_set(err, EINVAL, "%s '%.80s': not an IP address", what, text);
	uint64_t most = cidr.family == AF_INET ? 32 : 128, prefix = most;
	if (text[length] == '/') {
		const char *end = digits(text + length + 1, &prefix);
		if (!end || *end || prefix > most)
			return err_set(err, EINVAL, "%s '%.80s': the prefix isn't a number from 0 to %" PRIu64, what, text, most);
	}
	cidr.prefix = (unsigned int)prefix;
	*out = cidr;
	return 0;
}

bool num_same_bits(const void *a, const void *b, unsigned int bits)
{
	const unsigned char *x = a, *y = b;
	if (memcmp(x, y, bits / 8) != 0)
		return false;
	unsigned int rest = bits % 8;
	return !rest || (x[bits / 8] ^ y[bits / 8]) >> (8 - rest) == 0;
}
