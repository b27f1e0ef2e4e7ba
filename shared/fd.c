// SPDX-License-Identifier: GPL-2.0-or-later
// fd.c - file descriptors
#include "shared/fd.h"

#include "shared/num.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FDS_MAX = 64, DESCRIPTORS_MAX = 1 << 20 };

void fd_close(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int take_fd(int *fd)
{
	int result = *fd;
	*fd = -1;
	return result;
}

ssize_t fd_read_full(int fd, void *buffer, size_t size)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = read(fd, (char *)buffer + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int fd_write_full(int fd, const void *buffer, size_t size)
{
	size_t done = 0;
	while (done < size) {
		ssize_t n = write(fd, (const char *)buffer + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
};

// What went, or -1 with errno.
static ssize_t send_with(int socket, const void *data, size_t size, const int *fds, size_t count)
{
	union control control;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (count) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * count);
	}
	ssize_t n;
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

int fd_send(int socket, const void *data, size_t size, const int *fds, size_t count, struct err *err)
{
	if (count > FDS_MAX)
		return err_set(err, EINVAL, "send %zu descriptors: %d at most", count, FDS_MAX);
	return send_with(socket, data, size, fds, count) < 0 ? err_sys(err, "send message") : 0;
}

int fd_send_stream(int socket, const void *data, size_t size, int fd, struct err *err)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = send_with(socket, (const char *)data + done, size - done, &fd, done == 0);
		if (n < 0)
			return err_sys(err, "send message");
		done += (size_t)n;
	}
	return 0;
}

ssize_t fd_recv(int socket, void *data, size_t size, int *fds, size_t *out_count, struct err *err)
{
	union control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	size_t room = out_count ? *out_count : 0, got = 0;

	ssize_t n;
	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "receive message");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (got < room)
				fds[got++] = fd;
			else
				fd_close(&fd);
		}
	}
	if (out_count)
		*out_count = got;
	return n;
}

static void close_between(int first, int last)
{
	struct rlimit limit = { .rlim_cur = DESCRIPTORS_MAX };
	if (first > last || sys_close_range((unsigned int)first, (unsigned int)last, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit); // before Linux 5.9, or where another container around this one forbids close_range
	for (int fd = first; fd <= last && fd < DESCRIPTORS_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
		close(fd);
}

void fd_close_others(int first, const int *kept, size_t count)
{
	for (;;) {
		int lowest = INT32_MAX;
		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= first && kept[i] < lowest)
				lowest = kept[i];
		}
		close_between(first, lowest == INT32_MAX ? INT32_MAX : lowest - 1);
		if (lowest == INT32_MAX)
			return;
		first = lowest + 1;
	}
}

int fd_wait(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, timeout_ms);
	return n > 0 ? 1 : n;
}

// Before Linux 5.11. Only numbers are read, with getdents64 into the stack: this also runs between clone3 and exec.
static int cloexec_by_proc(int first)
{
	struct entry {
		uint64_t ino;
		int64_t off;
		unsigned short length;
		unsigned char type;
		char name[];
	};
	_Alignas(struct entry) char buffer[4096];
	own_fd int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;
	if (dir < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const void *)(buffer + at);
			uint64_t fd;
			if (num_u64("descriptor", e->name, (uint64_t)first, INT32_MAX, &fd, NULL) == 0)
				fcntl((int)fd, F_SETFD, FD_CLOEXEC);
			at += e->length;
		}
	}
	return n < 0 ? -1 : 0;
}

int fd_cloexec_from(int first)
{
	if (sys_close_range((unsigned int)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	return cloexec_by_proc(first);
}
