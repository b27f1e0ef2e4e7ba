// SPDX-License-Identifier: GPL-2.0-or-later
// source.c - archives as the user names them
#include "cosofs/source.h"

#include "shared/fd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int source_open_file(const char *path, struct err *err)
{
	struct stat st;
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "open the archive '%s'", path);
	if (S_ISDIR(st.st_mode))
		return err_set(err, EISDIR, "open the archive '%s': it is a folder", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "open the archive '%s': not a regular file", path);
	return take_fd(&fd);
}

bool source_is_url(const char *text)
{
	size_t length = 0;
	while (isalnum((unsigned char)text[length]))
		length++;
	return length && strncmp(text + length, "://", 3) == 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return found ? (int)(found - digits) : -1;
}

const char *source_file_url(struct arena *arena, const char *url)
{
	char *path = arena_strdup(arena, strstr(url, "://") + 3), *to = path;
	for (const char *from = path; *from; from++) {
		int high = *from == '%' ? hex_digit(from[1]) : -1, low = high >= 0 ? hex_digit(from[2]) : -1;
		bool coded = low >= 0 && high * 16 + low > 0;
		*to++ = coded ? (char)(high * 16 + low) : *from;
		from += coded ? 2 : 0;
	}
	*to = '\0';
	return path;
}
