// SPDX-License-Identifier: GPL-2.0-or-later
// receiver.c - plays the part of an engine that listens on a socket for what a runtime hands over
//
//   receiver console SOCKET     one message with one descriptor: "payload=BYTES fds=N", "tty=NAME ROWSxCOLUMNS", then copies its
//                               stdin to that terminal and what the terminal shows to stdout, until nobody has it open
//   receiver pidfd SOCKET       the same for a pidfd: "pid=N", and "ended" once that process has
//   receiver notify SOCKET      datagrams of sd_notify(3): "fds=N" and the text, with blanks for line ends
//   receiver seccomp SOCKET ERRNO   a connection each: "fds=N" and the text; then answers each call that it is asked about with ERRNO
//
// Nothing is accepted that an engine wouldn't: a second message, or a descriptor more, shows.
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, FDS_MAX = 4 };

struct message {
	char text[65536];
	ssize_t size;
	int fds[FDS_MAX];
	size_t count;
};

static void fail(const char *what)
{
	fprintf(stderr, "receiver: %s: %s\n", what, strerror(errno));
	exit(1);
}

// The folder is entered first: sun_path is short, and paths of tests may be long.
static int make_socket(char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char *slash = strrchr(path, '/');
	if (slash) {
		*slash = '\0';
		if (chdir(path) < 0)
			fail(path);
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", slash ? slash + 1 : path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 16) < 0))
		fail(address.sun_path);
	return fd;
}

// Not where it only hung up: before Linux 6.11 SECCOMP_IOCTL_NOTIF_RECV waits for ever for a filter that nobody has any more.
static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	return poll(&p, 1, timeout_ms) > 0 && (p.revents & POLLIN);
}

static bool receive(int fd, struct message *message)
{
	char control[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	struct iovec part = { message->text, sizeof(message->text) - 1 };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

	if (!readable(fd, PATIENCE_MS))
		return false;
	message->count = 0;
	message->size = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	if (message->size < 0)
		return false;
	message->text[message->size] = '\0';
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		message->count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(message->fds, CMSG_DATA(c), message->count * sizeof(int));
	}
	return true;
}

// The one descriptor of the one message on the one connection.
static int receive_one(char *path)
{
	static struct message message, more;
	int listening = make_socket(path, SOCK_STREAM);

	if (!readable(listening, PATIENCE_MS))
		fail("nobody came");
	int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0 || !receive(connection, &message))
		fail("nothing came");
	printf("payload=%zd fds=%zu\n", message.size, message.count);
	if (receive(connection, &more) && more.size > 0)
		printf("more=%zd\n", more.size);
	close(connection);
	close(listening);
	if (message.count != 1)
		exit(1);
	return message.fds[0];
}

static void copy(int from, int to)
{
	char text[4096];
	ssize_t n;
	struct pollfd p[] = { { .fd = from, .events = POLLIN }, { .fd = to, .events = 0 } };

	while (poll(p, 2, -1) >= 0 && !(p[1].revents & (POLLHUP | POLLERR))) {
		n = read(from, text, sizeof(text));
		if (n <= 0 || write(to, text, (size_t)n) != n)
			return;
	}
}

static int serve_console(char **args)
{
	int master = receive_one(args[0]);
	struct winsize size = { 0 };
	char name[64] = "none";

	if (!isatty(master) || ptsname_r(master, name, sizeof(name)) != 0)
		return 1;
	ioctl(master, TIOCGWINSZ, &size);
	printf("tty=%s %dx%d\n", name, size.ws_row, size.ws_col);
	fflush(stdout);
	pid_t typist = fork();
	if (typist == 0) {
		copy(STDIN_FILENO, master);
		_exit(0);
	}
	copy(master, STDOUT_FILENO);
	return 0;
}

static int serve_pidfd(char **args)
{
	int pidfd = receive_one(args[0]);
	char path[64], line[256];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	FILE *info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info)) {
		if (strncmp(line, "Pid:", 4) == 0)
			printf("pid=%s", line + 4 + strspn(line + 4, " \t"));
	}
	fflush(stdout);
	if (readable(pidfd, PATIENCE_MS))
		printf("ended\n");
	return 0;
}

static void print_message(const struct message *message)
{
	printf("fds=%zu ", message->count);
	for (const char *c = message->text; c < message->text + message->size; c++)
		putchar(*c == '\n' ? ' ' : *c);
	putchar('\n');
	fflush(stdout);
}

static int serve_notify(char **args)
{
	static struct message message;
	int fd = make_socket(args[0], SOCK_DGRAM);

	while (receive(fd, &message)) {
		print_message(&message);
		for (size_t i = 0; i < message.count; i++)
			close(message.fds[i]); // a barrier is passed thereby
	}
	return 0;
}

static void answer(int listener, int error)
{
	while (readable(listener, PATIENCE_MS)) {
		struct seccomp_notif call = { 0 };
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			return;
		struct seccomp_notif_resp response = { .id = call.id, .error = -error };
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}

static int serve_seccomp(char **args)
{
	static struct message message, more;
	int error = 0, listening = make_socket(args[0], SOCK_STREAM);

	for (const char *c = args[1]; c && *c >= '0' && *c <= '9'; c++)
		error = error * 10 + *c - '0';
	while (readable(listening, PATIENCE_MS)) {
		int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		if (connection < 0 || !receive(connection, &message))
			return 1;
		print_message(&message);
		if (receive(connection, &more) && more.size > 0)
			print_message(&more);
		close(connection);
		if (message.count == 1 && fork() == 0) {
			answer(message.fds[0], error);
			_exit(0);
		}
		for (size_t i = 0; i < message.count; i++)
			close(message.fds[i]);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*serve)(char **args);
	int arguments;
} parts[] = {
	{ "console", serve_console, 1 },
	{ "pidfd", serve_pidfd, 1 },
	{ "notify", serve_notify, 1 },
	{ "seccomp", serve_seccomp, 2 },
};

int main(int argc, char *argv[])
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc > 2 && strcmp(argv[1], parts[i].name) == 0 && argc - 2 >= parts[i].arguments)
			return parts[i].serve(argv + 2);
	}
	fprintf(stderr, "usage: receiver console|pidfd|notify|seccomp SOCKET [ERRNO]\n");
	return 125;
}
