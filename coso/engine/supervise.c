// SPDX-License-Identifier: GPL-2.0-or-later
// supervise.c - terminal, signals and end of a running container
//
// Theory of operation. One loop serves everybody, so nothing in it may block: a container that doesn't read its terminal, and a
// reader of coso's output that has stalled, each stop only what flows their way. Each direction has one buffer, and its source is
// read only while that is empty. The caller's stdout is opened anew to be written without blocking: O_NONBLOCK belongs to the open
// file, which the caller's shell shares, and would outlive a coso that is killed.
#include "coso/engine/supervise.h"

#include "coso/launch/tty.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/ttydefaults.h>
#include <unistd.h>

enum {
	CHUNK = 16 << 10,
	DRAIN_MS = 200,       // of silence, after the container's end
	DRAIN_MAX = 1 << 20,  // bytes; more than a pty holds
	KILLED_WAIT_MS = 500, // how long a stalled reader holds up the end of a container that was killed
	END_FIRST_MS = 50,    // from the end of the input to the first time it is typed,
	END_PAUSE_MS = 1000,  // and the longest time to the next
};

static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGPIPE };

// With `every` all but these: the kernel's answer to an error of ours, and what a terminal sends to whoever is in the background.
static const int kept[] = { SIGCHLD, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS, SIGTTIN, SIGTTOU };

struct flow {
	char data[CHUNK];
	size_t at, size; // what is still to be written: data[at] to data[size - 1]
};

struct loop {
	const struct supervise *s;
	int signals;
	int input, console; // -1 once they ended
	int output;
	struct flow typed, shown;
	int end_pause;     // ms; 0: the input hasn't ended
	int64_t end_typed; // when its end is typed next, by proc_now_ms
};

// The caller's stdout while coso writes to it.
struct output {
	int fd;    // what is written to
	int own;   // the same, if it was opened here; else -1
	int flags; // of the caller's, to be put back; -1: they are as they were
};

static sigset_t forwarded_set(bool every)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	if (!every)
		return set;
	sigfillset(&set);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		sigdelset(&set, kept[i]);
	return set;
}

void supervise_block(bool every, sigset_t *out_old)
{
	const sigset_t set = forwarded_set(every);
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

static int open_signals(bool every, struct err *err)
{
	const sigset_t set = forwarded_set(every);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, "make a signal descriptor") : fd;
}

// True if there was one that ends a program.
static bool take_signals(const struct loop *loop)
{
	struct signalfd_siginfo info;
	bool ending = false;
	while (read(loop->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int signal = (int)info.ssi_signo;
		if (signal == SIGWINCH && loop->console >= 0)
			tty_copy_size(loop->s->input, loop->console);
		else if (signal != SIGPIPE && signal != SIGWINCH && signal != SIGURG)
			sys_pidfd_send_signal(loop->s->pidfd, signal);
		ending = ending || signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
	}
	return ending;
}

// Opening a pty's master anew would make another pty, and a fifo that nobody reads can't be opened: those get O_NONBLOCK themselves,
// as does what belongs to somebody else. A file never blocks.
static struct output open_output(int fd)
{
	struct output output = { .fd = fd, .own = -1, .flags = -1 };
	struct stat st;
	char path[32];
	unsigned int number;
	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return output;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (S_ISFIFO(st.st_mode) || (isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0))
		output.own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (output.own >= 0) {
		output.fd = output.own;
		return output;
	}
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		output.flags = flags;
	return output;
}

static void close_output(struct output *output, int fd)
{
	if (output->flags >= 0)
		fcntl(fd, F_SETFL, output->flags);
	fd_close(&output->own);
}

static bool is_empty(const struct flow *flow)
{
	return flow->at == flow->size;
}

// Takes what is there. False at the end of it: for a pty's master that is EIO, once the last slave is closed.
static bool fill(struct flow *flow, int from)
{
	ssize_t n = read(from, flow->data, sizeof(flow->data));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	flow->at = 0;
	flow->size = (size_t)n;
	return n > 0;
}

// Writes what fits. What nobody is there for any more is dropped: a reader that is gone doesn't end the container.
static void pour(struct flow *flow, int to)
{
	ssize_t n = write(to, flow->data + flow->at, flow->size - flow->at);
	if (n >= 0)
		flow->at += (size_t)n;
	else if (errno != EINTR && errno != EAGAIN)
		flow->at = flow->size;
}

// A pipe's end stays, but what is typed is read once, and Ctrl-D is an end only to who reads it in the mode in which it was typed: to
// a shell that was about to edit a line it is a zero on that line. So it is typed once what came before was read and the program
// had a moment to go on, and then again, after a Ctrl-U that takes away such a zero, as often as it was read and the program lives.
static void type_end_of_file(struct loop *loop)
{
	static const char keys[] = { CTRL('U'), CTRL('D') };
	if (tty_was_read(loop->console)) {
		memcpy(loop->typed.data, keys, sizeof(keys));
		loop->typed.at = loop->end_pause == END_FIRST_MS; // the first time without Ctrl-U
		loop->typed.size = sizeof(keys);
		loop->end_pause = loop->end_pause * 2 < END_PAUSE_MS ? loop->end_pause * 2 : END_PAUSE_MS;
	}
	loop->end_typed = proc_now_ms() + loop->end_pause;
}

static void end_input(struct loop *loop)
{
	loop->input = -1;
	loop->end_pause = END_FIRST_MS;
	loop->end_typed = proc_now_ms() + loop->end_pause;
}

// How long until the end of the input is to be typed; -1: it isn't.
static int until_end_typed(const struct loop *loop)
{
	if (loop->end_pause == 0 || loop->console < 0 || !is_empty(&loop->typed))
		return -1;
	const int64_t left = loop->end_typed - proc_now_ms();
	return left > 0 ? (int)left : 0;
}

static void serve_console(struct loop *loop, short events)
{
	if (events & POLLHUP)
		loop->typed.at = loop->typed.size; // nobody has the slave open
	if (events & POLLOUT && !is_empty(&loop->typed))
		pour(&loop->typed, loop->console);
	if (events & (POLLIN | POLLHUP | POLLERR) && is_empty(&loop->shown) && !fill(&loop->shown, loop->console))
		loop->console = -1;
}

static short console_events(const struct loop *loop)
{
	return (short)((is_empty(&loop->shown) ? POLLIN : 0) | (is_empty(&loop->typed) ? 0 : POLLOUT));
}

static int serve(struct loop *loop, struct err *err)
{
	for (;;) {
		const short events = console_events(loop);
		const bool hear = loop->console >= 0 && is_empty(&loop->typed), say = !is_empty(&loop->shown);
		struct pollfd p[] = {
			{ .fd = loop->s->pidfd, .events = POLLIN },
			{ .fd = loop->signals, .events = POLLIN },
			{ .fd = events ? loop->console : -1, .events = events },
			{ .fd = hear ? loop->input : -1, .events = POLLIN },
			{ .fd = say ? loop->output : -1, .events = POLLOUT },
		};
		int n = poll(p, 5, until_end_typed(loop));
		if (n < 0 && errno != EINTR)
			return err_sys(err, "wait for the container");
		if (until_end_typed(loop) == 0)
			type_end_of_file(loop);
		if (n < 0)
			continue;
		if (p[1].revents)
			take_signals(loop);
		if (p[4].revents)
			pour(&loop->shown, loop->output);
		if (p[2].revents)
			serve_console(loop, p[2].revents);
		if (p[3].revents && !fill(&loop->typed, loop->input))
			end_input(loop);
		if (p[0].revents)
			return 0;
	}
}

// What the program wrote last may still be in the pty. As any program at the head of a pipe, coso waits for who reads it: until it is
// told to end, and not for long if the container was killed.
static void drain(struct loop *loop, int reader_wait_ms)
{
	size_t total = 0;
	while (total < DRAIN_MAX && (loop->console >= 0 || !is_empty(&loop->shown))) {
		const bool say = !is_empty(&loop->shown);
		struct pollfd p[] = {
			{ .fd = loop->signals, .events = POLLIN },
			{ .fd = say ? loop->output : loop->console, .events = say ? POLLOUT : POLLIN },
		};
		int n = poll(p, 2, say ? reader_wait_ms : DRAIN_MS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || (p[0].revents && take_signals(loop)))
			return;
		if (p[1].revents && say) {
			pour(&loop->shown, loop->output);
		} else if (p[1].revents) {
			if (!fill(&loop->shown, loop->console))
				loop->console = -1;
			total += loop->shown.size - loop->shown.at;
		}
	}
}

static int attend(struct loop *loop, int *out_exit_code, struct err *err)
{
	int status;
	if (serve(loop, err) < 0)
		return -1;
	if (proc_wait(loop->s->pidfd, -1, &status) < 0)
		return err_sys(err, "wait for the container");
	*out_exit_code = proc_exit_code(status);
	drain(loop, *out_exit_code > 128 ? KILLED_WAIT_MS : -1);
	return 0;
}

int supervise_run(const struct supervise *s, int *out_exit_code, struct err *err)
{
	struct tty_raw raw = { .fd = -1 };
	own_fd int signals = open_signals(s->every, err);
	if (signals < 0)
		return -1;
	struct loop loop = { .s = s, .signals = signals, .input = s->input, .console = s->console, .output = s->output };
	if (s->console < 0)
		return attend(&loop, out_exit_code, err);
	if (fcntl(s->console, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_sys(err, "make the terminal's descriptor non-blocking");
	if (s->input >= 0) {
		tty_copy_size(s->input, s->console);
		if (tty_set_raw(&raw, s->input, err) < 0)
			return -1;
	}
	struct output output = open_output(s->output);
	loop.output = output.fd;
	int result = attend(&loop, out_exit_code, err);
	close_output(&output, s->output);
	tty_restore(&raw);
	return result;
}
