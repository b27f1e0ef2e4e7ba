// SPDX-License-Identifier: GPL-2.0-or-later
// start.c - a container that waits for its program to be started
#include "coso/launch/start.h"

#include "coso/launch/launch.h"
#include "shared/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char name[] = "start", new_name[] = "start.new";

// A path of any length fits into sun_path by way of its folder's descriptor. unix(7)
static struct sockaddr_un address_of(int folder, const char *socket_name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder, socket_name);
	return address;
}

int start_listen(int folder, struct err *err)
{
	const struct sockaddr_un address = address_of(folder, new_name);
	own_fd int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0 || bind(s, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(s, 1) < 0)
		return err_sys(err, "make the socket that start connects to");
	return take_fd(&s);
}

int start_allow(int folder, struct err *err)
{
	return renameat(folder, new_name, folder, name) < 0 ? err_sys(err, "name the socket that start connects to") : 0;
}

bool start_is_being_made(int folder)
{
	return faccessat(folder, new_name, F_OK, 0) == 0;
}

bool start_is_awaited(int folder)
{
	return faccessat(folder, name, F_OK, 0) == 0;
}

int start_wait(struct launch *launch, struct err *err)
{
	char byte;
	if (prctl(PR_SET_PDEATHSIG, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, "outlive create");
	if (gate_report(launch, REPORT_READY, err) < 0)
		return -1;
	const int kept[] = { launch->start, launch->proc };
	fd_close_others(STDERR_FILENO + 1 + launch->preserved, kept, sizeof(kept) / sizeof(kept[0]));
	launch->gate[1] = launch->report[1] = launch->trace = launch->console = launch->rootfs.root = -1;
	int connection = accept4(launch->start, NULL, NULL, SOCK_CLOEXEC);
	while (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
		connection = accept4(launch->start, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0 || recv(connection, &byte, 1, 0) != 1)
		return err_set(err, EPIPE, "whoever was to start the container is gone");
	fd_close(&launch->start);
	launch->report[1] = connection;
	return 0;
}

int start_go(int folder, struct err *err)
{
	const struct sockaddr_un address = address_of(folder, name);
	own_fd int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_sys(err, "make a socket");
	if (connect(s, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set(err, ESRCH, "cannot start a container that has stopped");
	if (unlinkat(folder, name, 0) < 0)
		return err_sys(err, "remove the socket that start connects to");
	if (send(s, "", 1, MSG_NOSIGNAL) != 1)
		return err_set(err, ESRCH, "cannot start a container that has stopped");
	return take_fd(&s);
}
