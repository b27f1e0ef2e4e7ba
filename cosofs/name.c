// SPDX-License-Identifier: GPL-2.0-or-later
// name.c - names of archive entries
#include "cosofs/name.h"

#include "shared/str.h"

#include <errno.h>
#include <string.h>

#define MARK ".wh."

static void show(const char *bytes, size_t length, char *out)
{
	size_t n = length < NAME_SHOWN - 1 ? length : NAME_SHOWN - 1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		out[i] = c < ' ' || c == 127 || c == '\'' ? '?' : bytes[i];
	}
	out[n] = '\0';
}

int name_parse(const char *bytes, size_t length, struct name *out, struct err *err)
{
	size_t size = 0, depth = 0;
	show(bytes, length, out->shown);
	if (memchr(bytes, '\0', length))
		return err_set(err, EINVAL, "'%s': a name with a NUL in it", out->shown);
	out->parent = 0;
	for (size_t i = 0; i < length;) {
		const char *slash = memchr(bytes + i, '/', length - i);
		const char *part = bytes + i;
		size_t n = slash ? (size_t)(slash - part) : length - i;
		i += n + 1;
		if (n == 0 || (n == 1 && part[0] == '.'))
			continue;
		if (n == 2 && part[0] == '.' && part[1] == '.')
			return err_set(err, EINVAL, "'%s' leads out of the folder with '..'", out->shown);
		if (n > NAME_MAX || size + n + 2 > sizeof(out->path) || ++depth > NAME_DEPTH_MAX)
			return err_set(err, ENAMETOOLONG, "'%s': the name is too long", out->shown);
		out->parent = size;
		if (size)
			out->path[size++] = '/';
		memcpy(out->path + size, part, n);
		size += n;
	}
	out->path[size] = '\0';
	out->base = out->path + out->parent + (out->parent ? 1 : 0);
	return 0;
}

int name_mark(const struct name *name, enum name_mark *out_mark, const char **out_target, struct err *err)
{
	const size_t length = strlen(MARK);
	if (strncmp(name->path, MARK, length) == 0 || strstr(name->path, "/" MARK)) {
		const char *first = strncmp(name->path, MARK, length) == 0 ? name->path : strstr(name->path, "/" MARK) + 1;
		if (strchr(first, '/'))
			return err_set(err, EINVAL, "an entry below a whiteout");
	}
	if (!str_starts(name->base, MARK)) {
		*out_mark = NAME_PLAIN;
		return 0;
	}
	const char *target = name->base + length;
	if (!*target || str_eq(target, ".") || str_eq(target, ".."))
		return err_set(err, EINVAL, "a whiteout of nothing inside its folder");
	*out_target = target;
	if (!str_starts(target, MARK))
		*out_mark = NAME_WHITEOUT;
	else
		*out_mark = str_eq(target, MARK ".opq") ? NAME_OPAQUE : NAME_INTERNAL;
	return 0;
}
