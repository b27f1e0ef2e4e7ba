// SPDX-License-Identifier: GPL-2.0-or-later
// local_test.c - sockets with names of any length, and those that nobody answers
#include "shared/fd.h"
#include "shared/local.h"
#include "shared/path.h"
#include "tests/unit/shared/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// A socket that listens at the end of a path of more than 108 bytes, which is written into `path`.
static int listen_far(const char *top, char path[512])
{
	char folder[400];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(folder, sizeof(folder), "%s/%0150d", top, 0);
	snprintf(path, 512, "%s/listener", folder);
	CU_ASSERT_EQUAL(path_mkdirs(folder, 0755, NULL), 0);
	own_fd int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/listener", dir);
	CU_ASSERT_EQUAL(bind(s, (const struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(listen(s, 0), 0);
	return take_fd(&s);
}

TEST(local, connects_at_any_length)
{
	char top[64], path[512];
	int fd = folder_make(top, sizeof(top));
	struct err err = { 0 };
	own_fd int server = listen_far(top, path);
	own_fd int client = local_connect(path, 0, &err);
	CU_ASSERT_FATAL(client >= 0);
	own_fd int accepted = accept(server, NULL, NULL);
	CU_ASSERT_EQUAL(write(client, "x", 1), 1);
	char byte = 0;
	CU_ASSERT(read(accepted, &byte, 1) == 1 && byte == 'x');
	CU_ASSERT_EQUAL(fcntl(client, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(local_connect("/nowhere/socket", 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(unlink(path), 0);
	CU_ASSERT_EQUAL(local_connect(path, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "connect to '"));
	folder_remove(&fd, top);
}

TEST(local, who_does_not_accept_is_not_waited_for)
{
	char top[64], path[512];
	int fd = folder_make(top, sizeof(top));
	struct err err = { 0 };
	own_fd int server = listen_far(top, path);
	own_fd int first = local_connect(path, 20, &err); // all that the listener has room for
	own_fd int second = local_connect(path, 20, &err);
	CU_ASSERT(server >= 0 && first >= 0);
	CU_ASSERT_EQUAL(second, -1);
	CU_ASSERT_EQUAL(err.code, EAGAIN);
	folder_remove(&fd, top);
}
