// SPDX-License-Identifier: GPL-2.0-or-later
// builtin.c - the root file system that needs no download
#include "cosofs/builtin.h"

#include "cosofs/elf.h"
#include "cosofs/embed.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MS = 10000, LIST_MAX = 64 << 10, COPY = 1 << 20 };

// Where distributions put it: Debian and Ubuntu, Fedora, Alpine.
static const char *const places[] = { "/bin/busybox",  "/usr/bin/busybox",    "/usr/sbin/busybox",
				      "/sbin/busybox", "/bin/busybox.static", "/usr/bin/busybox.static" };

// Opens a path if it is a static program for this machine, which only root can have put there.
static int open_static(const char *path)
{
	struct stat st;
	struct elf elf, self;
	own_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	own_fd int own = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -1;
	if (!elf_read(fd, &elf) || elf.loader || (own >= 0 && elf_read(own, &self) && elf.machine != self.machine)) {
		log_verbose("'%s' is no static program for this machine", path);
		return -1;
	}
	return take_fd(&fd);
}

static int copy(int from, int to, struct err *err)
{
	for (;;) {
		ssize_t n = sendfile(to, from, NULL, COPY);
		if (n < 0 && errno != EINTR)
			return err_sys(err, "copy BusyBox");
		if (n == 0)
			return 0;
	}
}

// The folder above `path`, and the last component. The recipe's folders come before what is in them.
static int open_above(int root, const char *path, const char **out_base, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char above[256] = ".";
	*out_base = slash ? slash + 1 : path;
	if (slash && (size_t)(slash - path) < sizeof(above)) {
		memcpy(above, path, (size_t)(slash - path));
		above[slash - path] = '\0';
	}
	return path_open_beneath(root, above, O_PATH | O_DIRECTORY, 0, err);
}

static int make_file(int root, const char *path, mode_t mode, struct err *err)
{
	const char *base;
	own_fd int above = open_above(root, path, &base, err);
	if (above < 0)
		return -1;
	int fd = openat(above, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, mode) < 0) {
		fd_close(&fd);
		return err_sys(err, "make '%s'", path);
	}
	return fd;
}

static int make_folder(int root, const char *path, mode_t mode, struct err *err)
{
	const char *base;
	own_fd int above = open_above(root, path, &base, err);
	if (above < 0)
		return -1;
	if (mkdirat(above, base, 0700) < 0 || fchmodat(above, base, mode, 0) < 0)
		return err_sys(err, "make folder '%s'", path);
	return 0;
}

static int make_link(int root, const char *target, const char *path, struct err *err)
{
	const char *base;
	own_fd int above = open_above(root, path, &base, err);
	if (above < 0)
		return -1;
	return symlinkat(target, above, base) == 0 || errno == EEXIST ? 0 : err_sys(err, "make link '%s'", path);
}

static mode_t octal(const char *text)
{
	mode_t mode = 0;
	for (; *text >= '0' && *text <= '7'; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	return mode;
}

// Follows the recipe, a line at a time.
static int follow(struct arena *arena, int root, struct err *err)
{
	struct strv lines = str_split(arena, embed_builtin, '\n');
	own_fd int file = -1;
	int result = 0;
	for (size_t i = 0; result == 0 && i < lines.count; i++) {
		char *line = lines.items[i];
		struct strv words = str_split(arena, line, ' ');
		if (*line == '|') {
			const char *text = arena_printf(arena, "%s\n", line + 1);
			result =
				fd_write_full(file, text, strlen(text)) < 0 ? err_sys(err, "write a file of the built-in root") : 0;
		} else if (str_eq(words.items[0], "dir") && words.count == 3) {
			result = make_folder(root, words.items[2], octal(words.items[1]), err);
		} else if (str_eq(words.items[0], "link") && words.count == 3) {
			result = make_link(root, words.items[1], words.items[2], err);
		} else if (str_eq(words.items[0], "file") && words.count == 3) {
			fd_close(&file);
			file = make_file(root, words.items[2], octal(words.items[1]), err);
			result = file < 0 ? -1 : 0;
		} else if (*line && *line != '#') {
			result = err_set(err, EINVAL, "rootfs/builtin.txt line %zu: not understood", i + 1);
		}
	}
	return result;
}

// Makes a link for each program that this BusyBox has.
static int link_programs(struct arena *arena, int root, const char *busybox, struct err *err)
{
	char *argv[] = { "busybox", "--list-full", NULL };
	struct proc_run run = { .path = busybox, .argv = argv, .timeout_ms = LIST_MS, .cap = LIST_MAX };
	struct proc_result result;
	if (proc_run(arena, &run, &result, err) < 0)
		return -1;
	if (result.timed_out || proc_exit_code(result.status) != 0)
		return err_set(err, 0, "'%s --list-full' failed", busybox);
	struct strv programs = str_split(arena, result.out, '\n');
	bool shell = false;
	for (size_t i = 0; i < programs.count; i++) {
		const char *path = programs.items[i];
		if (!*path || str_eq(path, "linuxrc") || strstr(path, ".."))
			continue;
		shell = shell || str_eq(path, "bin/sh");
		if (make_link(root, "/bin/busybox", path, err) < 0)
			return -1;
	}
	return shell ? 0 : err_set(err, 0, "'%s' has no shell", busybox);
}

int builtin_make(struct arena *arena, int root, struct err *err)
{
	const char *path = NULL;
	own_fd int busybox = -1;
	for (size_t i = 0; busybox < 0 && i < sizeof(places) / sizeof(*places); i++) {
		path = places[i];
		busybox = open_static(path);
	}
	if (busybox < 0)
		return err_set(err, ENOENT,
			       "the built-in root needs a static BusyBox, and none is installed (apt install busybox-static, or "
			       "give a root file system: --tarball FILE)");
	if (follow(arena, root, err) < 0)
		return -1;
	own_fd int to = make_file(root, "bin/busybox", 0755, err);
	if (to < 0 || copy(busybox, to, err) < 0)
		return -1;
	return link_programs(arena, root, path, err);
}
