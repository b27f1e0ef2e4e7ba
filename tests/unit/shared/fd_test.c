// SPDX-License-Identifier: GPL-2.0-or-later
// fd_test.c - file descriptors
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(fd, close_empties_and_leaves_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;
	errno = EXDEV;
	fd_close(&fd);
	CU_ASSERT_EQUAL(fd, -1);
	CU_ASSERT_FALSE(is_open(copy));
	errno = EXDEV;
	fd_close(&fd); // again: nothing happens
	CU_ASSERT_EQUAL(errno, EXDEV);
}

TEST(fd, own_closes_and_take_hands_over)
{
	int kept = -1, gone = -1;
	{
		own_fd int a = open("/dev/null", O_RDONLY | O_CLOEXEC);
		own_fd int b = open("/dev/null", O_RDONLY | O_CLOEXEC);
		gone = a;
		kept = take_fd(&b);
		CU_ASSERT_EQUAL(b, -1);
	}
	CU_ASSERT_FALSE(is_open(gone));
	CU_ASSERT_TRUE(is_open(kept));
	fd_close(&kept);
}

TEST(fd, reads_and_writes_whole)
{
	int ends[2];
	char out[5000], in[5000] = { 0 };
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	memset(out, 'x', sizeof(out));
	CU_ASSERT_EQUAL(fd_write_full(ends[1], out, sizeof(out)), 0);
	fd_close(&ends[1]);
	CU_ASSERT_EQUAL(fd_read_full(ends[0], in, 100), 100);
	CU_ASSERT_EQUAL(fd_read_full(ends[0], in, sizeof(in)), 4900); // to the end of file
	CU_ASSERT_EQUAL(fd_read_full(ends[0], in, sizeof(in)), 0);
	fd_close(&ends[0]);
	CU_ASSERT_EQUAL(fd_read_full(-1, in, 1), -1);
	CU_ASSERT_EQUAL(fd_write_full(-1, in, 1), -1);
}

TEST(fd, sends_descriptors)
{
	int pair[2], files[2] = { open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/zero", O_RDONLY | O_CLOEXEC) }, got[4];
	char text[16] = { 0 }, zero = 1;
	size_t count = 4;
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL(fd_send(pair[0], "two", 4, files, 2, NULL), 0);
	CU_ASSERT_EQUAL(fd_recv(pair[1], text, sizeof(text), got, &count, NULL), 4);
	CU_ASSERT_STRING_EQUAL(text, "two");
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_EQUAL(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(read(got[1], &zero, 1), 1);
	CU_ASSERT_EQUAL(zero, 0);
	for (int i = 0; i < 2; i++) {
		fd_close(&files[i]);
		fd_close(&got[i]);
		fd_close(&pair[i]);
	}
}

TEST(fd, more_descriptors_than_wanted_are_closed)
{
	int pair[2], files[3] = { 0, 1, 2 }, got[1] = { -1 }, next = dup(0);
	char byte;
	size_t count = 1;
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	CU_ASSERT_EQUAL(fd_send(pair[0], "x", 1, files, 3, NULL), 0);
	CU_ASSERT_EQUAL(fd_recv(pair[1], &byte, 1, got, &count, NULL), 1);
	CU_ASSERT_EQUAL(count, 1);
	int probe = dup(0); // the lowest free number tells whether two were left open
	CU_ASSERT_TRUE(probe <= got[0] + 1);
	CU_ASSERT_EQUAL(fd_send(pair[0], "x", 1, files, 3, NULL), 0);
	CU_ASSERT_EQUAL(fd_recv(pair[1], &byte, 1, NULL, NULL, NULL), 1);
	int again = dup(0);
	CU_ASSERT_EQUAL(again, probe + 1);
	fd_close(&pair[0]);
	CU_ASSERT_EQUAL(fd_recv(pair[1], &byte, 1, NULL, NULL, NULL), 0); // the other side is gone
	fd_close(&pair[1]);
	fd_close(&got[0]);
	fd_close(&probe);
	fd_close(&again);
	fd_close(&next);
}

TEST(fd, too_many_descriptors_are_an_error)
{
	int fds[65] = { 0 };
	struct err err = { 0 };
	CU_ASSERT_EQUAL(fd_send(-1, "x", 1, fds, 65, &err), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	CU_ASSERT_EQUAL(fd_send(-1, "x", 1, fds, 1, &err), -1);
	CU_ASSERT_EQUAL(err.code, EBADF);
}

TEST(fd, wait_has_a_deadline)
{
	int ends[2];
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL(fd_wait(ends[0], 10), 0);
	CU_ASSERT_EQUAL(write(ends[1], "x", 1), 1);
	CU_ASSERT_EQUAL(fd_wait(ends[0], 1000), 1);
	char byte;
	CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 1);
	fd_close(&ends[1]);
	CU_ASSERT_EQUAL(fd_wait(ends[0], 1000), 1); // hung up
	fd_close(&ends[0]);
}

enum { STREAM = 1 << 20 };

// Not for ever: under valgrind it takes longer than from one alarm to the next.
static void on_alarm(int signal)
{
	static const struct itimerval never;
	static int alarms;
	(void)signal;
	if (++alarms == 200)
		setitimer(ITIMER_REAL, &never, NULL);
}

// Interrupted again and again, so that no message is sent whole.
static void send_in_pieces(int socket)
{
	static char data[STREAM];
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	own_fd int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < STREAM; i++)
		data[i] = (char)(i % 251);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	_exit(fd_send_stream(socket, data, STREAM, file, NULL) == 0 ? 0 : 1);
}

TEST(fd, sends_a_stream_with_one_descriptor)
{
	int pair[2], fds[2] = { -1, -1 }, status = -1;
	size_t count = 2, done, descriptors = 0, wrong = 0;
	unsigned char piece[4096];
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = fork();
	if (pid == 0)
		send_in_pieces(pair[0]);
	fd_close(&pair[0]);
	ssize_t n = 1;
	for (done = 0; n > 0; done += (size_t)n) {
		count = 2;
		n = fd_recv(pair[1], piece, sizeof(piece), fds, &count, NULL);
		if (n < 0)
			break;
		if (done == 0)
			CU_ASSERT_EQUAL(count, 1);
		descriptors += count;
		for (size_t i = 0; i < (size_t)n; i++)
			wrong += piece[i] != (done + i) % 251;
		for (size_t i = 0; i < count; i++)
			fd_close(&fds[i]);
		usleep(100);
	}
	CU_ASSERT_EQUAL(done, STREAM);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(descriptors, 1);
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(status, 0);
	fd_close(&pair[1]);
}
