// SPDX-License-Identifier: GPL-2.0-or-later
// file.c - whole small files
#include "shared/file.h"

#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read_fd(struct arena *arena, int fd, const char *name, size_t cap, size_t *out_size, struct err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0) {
		err_sys(err, "look at '%s'", name);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, EINVAL, "read '%s': not a regular file", name);
		return NULL;
	}
	// proc and cgroup files have size 0: then the cap's first page, growing.
	size_t room = st.st_size > 0 && (size_t)st.st_size < cap ? (size_t)st.st_size + 1 : 4096, size = 0;
	char *text = arena_alloc(arena, room + 1);
	for (;;) {
		ssize_t n = fd_read_full(fd, text + size, room - size);
		if (n < 0) {
			err_sys(err, "read '%s'", name);
			return NULL;
		}
		size += (size_t)n;
		if (size < room)
			break;
		if (room > cap) {
			err_set(err, EFBIG, "read '%s': larger than %zu bytes", name, cap);
			return NULL;
		}
		char *larger = arena_alloc(arena, room * 2 + 1);
		memcpy(larger, text, size);
		text = larger;
		room *= 2;
	}
	if (size > cap) {
		err_set(err, EFBIG, "read '%s': larger than %zu bytes", name, cap);
		return NULL;
	}
	text[size] = '\0';
	if (out_size)
		*out_size = size;
	return text;
}

char *file_read(struct arena *arena, int dir, const char *path, size_t cap, size_t *out_size, struct err *err)
{
	own_fd int fd = openat(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(err, "open '%s'", path);
		return NULL;
	}
	return file_read_fd(arena, fd, path, cap, out_size, err);
}

int file_put(int dir, const char *path, const char *text, struct err *err)
{
	own_fd int fd = openat(dir, path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	const int line = (int)strcspn(text, "\n"); // a message is one line
	if (fd < 0)
		return err_sys(err, "open '%s' to write '%.*s'", path, line, text);
	size_t size = strlen(text);
	ssize_t n;
	do
		n = write(fd, text, size);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)size)
		return err_sys(err, "write '%.*s' to '%s'", line, text, path);
	return 0;
}

int file_replace(int dir, const char *name, const char *data, size_t size, mode_t mode, struct err *err)
{
	char temporary[256];
	int n = snprintf(temporary, sizeof(temporary), ".%.220s.%d", name, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_set(err, ENAMETOOLONG, "write '%s': the name is too long", name);
	own_fd int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(err, "make '%s'", name);
	if (fd_write_full(fd, data, size) < 0 || renameat(dir, temporary, dir, name) < 0) {
		err_sys(err, "write '%s'", name);
		unlinkat(dir, temporary, 0);
		return -1;
	}
	return 0;
}
