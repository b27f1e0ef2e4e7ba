// SPDX-License-Identifier: GPL-2.0-or-later
// supervise.c - terminal, signals and end of a running container
#include "coso/engine/supervise.h"

#include "coso/launch/tty.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { CHUNK = 16 << 10, DRAIN_MS = 200 };

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGPIPE };

struct loop {
	const struct supervise *s;
	int signals;
	int input, console; // -1 once they ended
};

void supervise_block(sigset_t *out_old)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, out_old);
}

int supervise_open_ending(struct err *err)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		struct sigaction now;
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, ending[i]);
	}
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "make a signal descriptor") : fd;
}

int supervise_take_ending(int fd)
{
	struct signalfd_siginfo info;
	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

static int open_signals(struct err *err)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "make a signal descriptor") : fd;
}

static void take_signals(const struct loop *loop)
{
	struct signalfd_siginfo info;
	while (read(loop->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH && loop->console >= 0)
			tty_copy_size(loop->s->input, loop->console);
		else if (info.ssi_signo != SIGPIPE && info.ssi_signo != SIGWINCH)
			sys_pidfd_send_signal(loop->s->pidfd, (int)info.ssi_signo);
	}
}

// Copies what is there. False at the end of it: for a pty's master that is EIO, once the last slave is closed.
static bool copy(int from, int to)
{
	char buffer[CHUNK];
	ssize_t n = read(from, buffer, sizeof(buffer));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	fd_write_full(to, buffer, (size_t)n); // a reader that is gone doesn't end the container
	return true;
}

// What the program wrote last may still be in the pty.
static void drain(const struct loop *loop)
{
	while (loop->console >= 0 && fd_wait(loop->console, DRAIN_MS) == 1) {
		if (!copy(loop->console, loop->s->output))
			return;
	}
}

static int serve(struct loop *loop, int *out_status, struct err *err)
{
	for (;;) {
		struct pollfd p[] = {
			{ .fd = loop->s->pidfd, .events = POLLIN },
			{ .fd = loop->signals, .events = POLLIN },
			{ .fd = loop->console, .events = POLLIN },
			{ .fd = loop->console >= 0 ? loop->input : -1, .events = POLLIN },
		};
		if (poll(p, 4, -1) < 0 && errno != EINTR)
			return err_sys(err, "wait for the container");
		if (p[1].revents)
			take_signals(loop);
		if (p[2].revents && !copy(loop->console, loop->s->output))
			loop->console = -1;
		if (p[3].revents && !copy(loop->input, loop->console)) {
			static const char end_of_file = 4; // Ctrl-D: what a line discipline takes for the end of input
			(void)!write(loop->console, &end_of_file, 1);
			loop->input = -1;
		}
		if (p[0].revents)
			break;
	}
	drain(loop);
	if (proc_wait(loop->s->pidfd, -1, out_status) < 0)
		return err_sys(err, "wait for the container");
	return 0;
}

int supervise_run(const struct supervise *s, int *out_exit_code, struct err *err)
{
	int status = 0;
	struct tty_raw raw = { .fd = -1 };
	own_fd int signals = open_signals(err);
	if (signals < 0)
		return -1;
	struct loop loop = { .s = s, .signals = signals, .input = s->input, .console = s->console };
	if (s->console >= 0 && s->input >= 0) {
		tty_copy_size(s->input, s->console);
		if (tty_set_raw(&raw, s->input, err) < 0)
			return -1;
	}
	int result = serve(&loop, &status, err);
	tty_restore(&raw);
	if (result == 0)
		*out_exit_code = proc_exit_code(status);
	return result;
}
