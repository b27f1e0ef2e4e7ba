// SPDX-License-Identifier: GPL-2.0-or-later
// digest.c - SHA-256 of a file, by libcrypto
#include "cosofs/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 256 << 10 };

static int feed(EVP_MD_CTX *context, int fd, struct err *err)
{
	static unsigned char block[BLOCK];
	off_t offset = 0;
	for (;;) {
		ssize_t n = pread(fd, block, sizeof(block), offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "read a file for its checksum");
		if (n == 0)
			return 0;
		if (!EVP_DigestUpdate(context, block, (size_t)n))
			return err_set(err, 0, "SHA-256 failed");
		offset += n;
	}
}

int digest_file(int fd, char out_hex[DIGEST_HEX + 1], struct err *err)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int result = -1;
	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		err_set(err, 0, "SHA-256 isn't to be had from libcrypto");
	else
		result = feed(context, fd, err);
	if (result == 0 && (!EVP_DigestFinal_ex(context, bytes, &size) || size * 2 != DIGEST_HEX))
		result = err_set(err, 0, "SHA-256 failed");
	EVP_MD_CTX_free(context);
	for (unsigned int i = 0; result == 0 && i < size; i++)
		snprintf(out_hex + (size_t)i * 2, 3, "%02x", bytes[i]);
	return result;
}

bool digest_valid(const char *hex)
{
	return strlen(hex) == DIGEST_HEX && strspn(hex, "0123456789abcdefABCDEF") == DIGEST_HEX;
}
