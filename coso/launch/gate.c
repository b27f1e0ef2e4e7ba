// SPDX-License-Identifier: GPL-2.0-or-later
// gate.c - what passes between the two processes of a launch
#include "coso/launch/gate.h"

#include "coso/launch/hooks.h"
#include "coso/launch/launch.h"
#include "coso/launch/notify.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { CONFIRM_MS = 60000 };

int gate_read_report(int fd, struct gate_heard *heard, struct err *err)
{
	struct report report;
	ssize_t n;
	do
		n = read(fd, &report, sizeof(report)); // what isn't whole at once never will be
	while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return 0;
	if (n != (ssize_t)sizeof(report))
		return err_set(err, EIO, "the error pipe broke");
	switch (report.kind) {
	case REPORT_READY:
		heard->waiting = true;
		return 0;
	case REPORT_EXECUTING:
		heard->executing = true;
		return 1;
	case REPORT_LISTENER:
		heard->listening = true;
		heard->listener = report.listener;
		return 1;
	case REPORT_FAILED:
		heard->failed = true;
		heard->exit_code = report.exit_code;
		*err = report.err;
		err->msg[sizeof(err->msg) - 1] = '\0';
		str_clean(err->msg);
		return -1;
	}
	return err_set(err, EIO, "the error pipe broke");
}

int gate_send(struct launch *launch, const void *message, size_t size, struct err *err)
{
	if (fd_send(launch->gate[0], message, size, NULL, 0, err) == 0)
		return 0;
	struct err said = { 0 };
	bool gone = err->code == EPIPE || err->code == ECONNRESET;
	if (gone && gate_read_report(launch->report[0], &launch->heard, &said) < 0)
		*err = said;
	return -1;
}

// One message of the child's. With end of file the gate is closed.
static int receive(struct launch *launch, enum gate_kind *out_kind, struct err *err)
{
	size_t count = 1;
	int fd = -1;
	*out_kind = 0;
	ssize_t n = fd_recv(launch->gate[0], out_kind, sizeof(*out_kind), &fd, &count, err);
	if (n < 0)
		return -1;
	if (n == (ssize_t)sizeof(*out_kind) && *out_kind == GATE_CONSOLE && count == 1)
		launch->console = take_fd(&fd);
	fd_close(&fd);
	if (n == 0)
		fd_close(&launch->gate[0]);
	return 0;
}

// Waits for either channel. 1: the gate can be read; 0: a report was read, and there may be more (*out_more) or not.
static int wait_either(struct launch *launch, int64_t deadline, int *out_more, struct err *err)
{
	for (;;) {
		struct pollfd p[] = {
			{ .fd = launch->report[0], .events = POLLIN },
			{ .fd = launch->gate[0], .events = POLLIN },
			{ .fd = launch->signals, .events = POLLIN },
		};
		int64_t left = deadline - proc_now_ms();
		int n = poll(p, 3, deadline == INT64_MAX ? -1 : left > 0 ? (int)left : 0);
		if (n < 0 && errno != EINTR)
			return err_sys(err, "wait for the container's first process");
		if (n == 0)
			return err_set(err, ETIMEDOUT, "the container's program didn't start within %d s", CONFIRM_MS / 1000);
		// The report first: a child that failed resets the socket, and what it said counts.
		if (n > 0 && p[0].revents) {
			*out_more = gate_read_report(launch->report[0], &launch->heard, err);
			return *out_more < 0 ? -1 : 0;
		}
		if (n > 0 && p[1].revents)
			return 1;
		if (launch_is_interrupted(launch, err))
			return -1;
	}
}

int gate_wait_mounted(struct launch *launch, struct err *err)
{
	enum gate_kind kind = 0;
	int more = 1, readable = wait_either(launch, proc_now_ms() + CONFIRM_MS, &more, err);
	if (readable < 0 || (readable && receive(launch, &kind, err) < 0))
		return -1;
	return kind == GATE_MOUNTED ? 0 : err_set(err, EIO, "the child was killed before its mounts were made");
}

// The child waits for it.
static int hand_listener_over(struct launch *launch, struct err *err)
{
	const struct notify_process process = { launch->pid, launch->pidfd, launch->heard.listener };
	const char *status = launch_is_join(launch) ? "running" : "creating";
	launch->heard.listening = false;
	if (notify_send(launch->spec, &process, hooks_state(launch->arena, launch->spec, status, launch->pid), err) < 0)
		return -1;
	return notify_go(launch->gate[0], err);
}

int gate_confirm(struct launch *launch, struct err *err)
{
	// How long hooks take is their own affair.
	bool hooks = launch->spec->hooks[SPEC_HOOK_CREATE_CONTAINER].count || launch->spec->hooks[SPEC_HOOK_START_CONTAINER].count;
	int64_t deadline = hooks ? INT64_MAX : proc_now_ms() + CONFIRM_MS;
	enum gate_kind kind;
	for (int more = 1; more;) {
		int readable = wait_either(launch, deadline, &more, err);
		if (readable < 0 || (readable && receive(launch, &kind, err) < 0))
			return -1;
		if (launch->heard.listening && hand_listener_over(launch, err) < 0)
			return -1;
	}
	if (!launch->heard.executing && !launch->heard.waiting)
		return err_set(err, EIO, "the child was killed before it could start the program");
	// What was sent before is in the socket by now.
	if (launch->spec->process.terminal && launch->console < 0 && receive(launch, &kind, err) < 0)
		return -1;
	fd_close(&launch->gate[0]);
	fd_close(&launch->report[0]);
	cgroup_close(&launch->cgroup);
	return 0;
}

int gate_wait(struct launch *launch, void *message, size_t size, enum gate_kind kind, struct err *err)
{
	ssize_t n = fd_recv(launch->gate[1], message, size, NULL, NULL, err);
	if (n >= (ssize_t)sizeof(kind) && memcmp(message, &kind, sizeof(kind)) == 0)
		return 0;
	return n < 0 ? -1 : err_set(err, EPIPE, "the launcher is gone");
}

int gate_wait_go(struct launch *launch, const char **out_hosts, const char **out_resolv, struct err *err)
{
	static struct gate_message message; // 32 KiB: not for the stack; zero behind what comes
	if (gate_wait(launch, &message, sizeof(message) - GATE_ENDS, GATE_GO, err) < 0)
		return -1;
	*out_hosts = message.text;
	*out_resolv = message.text + strlen(message.text) + 1;
	return 0;
}

int gate_say(struct launch *launch, enum gate_kind kind, const int *fd, struct err *err)
{
	return fd_send(launch->gate[1], &kind, sizeof(kind), fd, fd ? 1 : 0, err);
}

int gate_report(struct launch *launch, enum report_kind kind, struct err *err)
{
	const struct report report = { .kind = kind };
	if (fd_write_full(launch->report[1], &report, sizeof(report)) < 0)
		return err_sys(err, "report to the launcher");
	return 0;
}
