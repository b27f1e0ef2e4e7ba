// SPDX-License-Identifier: GPL-2.0-or-later
// sdnotify.c - what a program says to its service manager
#include "coso/oci/sdnotify.h"

#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BARRIER_MS = 30000, MESSAGE_MAX = 4096 };
enum { PLACE_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/notify") };

static const char folder_name[] = "notify", socket_name[] = "notify/notify", other_place[] = "/run/notify";

const char *sdnotify_manager(void)
{
	const char *address = getenv("NOTIFY_SOCKET");
	return address && (*address == '/' || *address == '@') && address[1] ? address : NULL;
}

static bool is_within(const char *path, const char *folder)
{
	size_t length = str_eq(folder, "/") ? 0 : strlen(folder);
	return str_starts(path, folder) && (!path[length] || path[length] == '/');
}

bool sdnotify_is_place(const struct spec *spec, const char *path)
{
	if (str_eq(path, other_place))
		return true;
	bool taken = is_within(path, "/proc") || strlen(path) > PLACE_MAX;
	for (size_t i = 0; i < spec->mount_count && !taken; i++) {
		const struct spec_mount *m = &spec->mounts[i];
		taken = str_eq(m->type, "bind") && is_within(path, path_clean(spec->arena, m->destination));
	}
	return !taken && *path == '/' && path[1] && str_eq(path, path_clean(spec->arena, path));
}

const char *sdnotify_place(const struct spec *spec, const char *manager)
{
	const char *path = *manager == '/' ? path_clean(spec->arena, manager) : other_place;
	return sdnotify_is_place(spec, path) ? path : other_place;
}

static void add_mount(struct spec *spec, const char *place, const char *source)
{
	spec->mounts = arena_grow(spec->arena, spec->mounts, spec->mount_count, sizeof(*spec->mounts));
	spec->mounts[spec->mount_count++] = (struct spec_mount){
		.type = "bind",
		.source = source,
		.destination = place,
		.key = folder_name,
		.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY,
	};
}

void sdnotify_describe(struct spec *spec, const char *place)
{
	add_mount(spec, place, folder_name);
}

int sdnotify_prepare(struct spec *spec, const char *place, int state, const char *path, struct err *err)
{
	// Whoever the program is, the folder lets it pass.
	if (mkdirat(state, folder_name, 0755) < 0 || fchmodat(state, folder_name, 0755, 0) < 0)
		return err_sys(err, "make the folder of NOTIFY_SOCKET");
	add_mount(spec, place, arena_printf(spec->arena, "%s/%s", path, folder_name));
	strv_setenv(spec->arena, &spec->process.env, arena_printf(spec->arena, "NOTIFY_SOCKET=%s/notify", place));
	return 0;
}

int sdnotify_listen(int state, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", state, socket_name);
	own_fd int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlinkat(state, socket_name, 0); // of a start that was killed
	if (s < 0 || bind(s, (const struct sockaddr *)&address, sizeof(address)) < 0 || fchmodat(state, socket_name, 0777, 0) < 0)
		return err_sys(err, "make the container's NOTIFY_SOCKET");
	return take_fd(&s);
}

// A name that begins with '@' isn't in the file system. unix(7)
static int connect_manager(const char *manager, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(manager);
	own_fd int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (length >= sizeof(address.sun_path))
		return err_set(err, ENAMETOOLONG, "NOTIFY_SOCKET '%s': the name is too long", manager);
	memcpy(address.sun_path, manager, length);
	if (*manager == '@')
		address.sun_path[0] = '\0';
	if (s < 0 ||
	    connect(s, (const struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return err_sys(err, "connect to NOTIFY_SOCKET '%s'", manager);
	return take_fd(&s);
}

// The manager has read all that came before once it closes what came with BARRIER=1. sd_notify_barrier(3)
static int tell_manager(const char *manager, pid_t pid, struct err *err)
{
	char text[64];
	int ends[2];
	own_fd int s = connect_manager(manager, err);
	if (s < 0)
		return -1;
	int size = snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int)pid);
	if (fd_send(s, text, (size_t)size, NULL, 0, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	int result = fd_send(s, "BARRIER=1", strlen("BARRIER=1"), &ends[1], 1, err);
	fd_close(&ends[1]);
	if (result == 0)
		fd_wait(ends[0], BARRIER_MS);
	fd_close(&ends[0]);
	return result;
}

static bool says_ready(int socket)
{
	char text[MESSAGE_MAX + 1];
	ssize_t n = recv(socket, text, MESSAGE_MAX, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	for (const char *line = text; *line; line += strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n')) {
		if (str_starts(line, "READY=1") && (!line[strlen("READY=1")] || line[strlen("READY=1")] == '\n'))
			return true;
	}
	return false;
}

int sdnotify_relay(int socket, int pidfd, pid_t pid, const char *manager, struct err *err)
{
	struct err why;
	for (;;) {
		struct pollfd p[] = { { .fd = socket, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
		int n = poll(p, 2, -1);
		if (n < 0 && errno != EINTR)
			return err_sys(err, "wait for the program to be ready");
		if (n > 0 && p[0].revents && says_ready(socket))
			break;
		if (n > 0 && !p[0].revents && p[1].revents) // it ended, and all that it said was read
			return 0;
	}
	if (tell_manager(manager, pid, &why) < 0)
		log_warning("%s", why.msg);
	return 0;
}
