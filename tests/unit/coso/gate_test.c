// SPDX-License-Identifier: GPL-2.0-or-later
// gate_test.c - messages between the two sides of a launch that are cut short, too long, of no kind, or never come
#include "coso/launch/gate.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HUGE = 64 << 10, SECONDS_MOST = 10 };

// One end of each channel is the test's, which plays the other side.
struct world {
	struct spec spec;
	struct launch launch;
	int other;
};

// Whatever hangs ends the test.
static void begin(struct world *w, bool inside)
{
	int pair[2], report[2];
	alarm(SECONDS_MOST);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 || pipe(report) < 0)
		abort();
	*w = (struct world){ 0 };
	launch_init(&w->launch, NULL, &w->spec);
	w->launch.report[0] = report[0];
	w->launch.report[1] = report[1];
	w->launch.gate[inside] = pair[0];
	w->other = pair[1];
}

static void end(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&w->launch.gate[i]);
		fd_close(&w->launch.report[i]);
	}
	fd_close(&w->launch.console);
	fd_close(&w->other);
	alarm(0);
}

static int count_descriptors(void)
{
	enum { LOOKED_AT = 1024 };
	int count = 0;
	for (int fd = 0; fd < LOOKED_AT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

// What is read of a report of `size` bytes, over a pipe that stays open.
static int read_report(const void *report, size_t size, struct gate_heard *heard, struct err *err)
{
	int fds[2];
	if (pipe(fds) < 0)
		abort();
	alarm(SECONDS_MOST);
	CU_ASSERT_EQUAL(fd_write_full(fds[1], report, size), 0);
	int result = gate_read_report(fds[0], heard, err);
	alarm(0);
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return result;
}

TEST(gate, reports_that_are_cut_short_are_broken)
{
	const struct report report = { .kind = REPORT_EXECUTING };
	for (size_t size = 1; size < sizeof(report); size++) {
		struct gate_heard heard = { 0 };
		struct err err = { 0 };
		CU_ASSERT_EQUAL(read_report(&report, size, &heard, &err), -1);
		CU_ASSERT_STRING_EQUAL(err.msg, "the error pipe broke");
		CU_ASSERT_FALSE(heard.executing || heard.waiting || heard.failed || heard.listening);
	}
}

TEST(gate, reports_of_no_kind_are_broken)
{
	static const int kinds[] = { 0, -1, REPORT_LISTENER + 1, INT_MAX, INT_MIN, 0x01000000 };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct gate_heard heard = { 0 };
		struct err err = { 0 };
		struct report report;
		memset(&report, 'x', sizeof(report));
		memcpy(&report.kind, &kinds[i], sizeof(report.kind));
		CU_ASSERT_EQUAL(read_report(&report, sizeof(report), &heard, &err), -1);
		CU_ASSERT_STRING_EQUAL(err.msg, "the error pipe broke");
		CU_ASSERT_FALSE(heard.executing || heard.waiting || heard.failed || heard.listening);
	}
}

TEST(gate, a_report_of_a_failure_ends_and_is_one_line)
{
	struct gate_heard heard = { 0 };
	struct err err = { 0 };
	struct report report;
	memset(&report, 'x', sizeof(report));
	report.kind = REPORT_FAILED;
	report.err.msg[3] = '\033';
	CU_ASSERT_EQUAL(read_report(&report, sizeof(report), &heard, &err), -1);
	CU_ASSERT_TRUE(heard.failed);
	CU_ASSERT_EQUAL(strnlen(err.msg, sizeof(err.msg)), sizeof(err.msg) - 1);
	CU_ASSERT_EQUAL(err.msg[3], '?');
}

TEST(gate, a_huge_report_is_one_report)
{
	struct world w;
	struct gate_heard heard = { 0 };
	struct err err = { 0 };
	char *huge = calloc(1, HUGE);
	const enum report_kind kind = REPORT_READY;
	begin(&w, false);
	memcpy(huge, &kind, sizeof(kind));
	CU_ASSERT_EQUAL(send(w.other, huge, HUGE, 0), HUGE);
	CU_ASSERT_EQUAL(gate_read_report(w.launch.gate[0], &heard, &err), 0);
	CU_ASSERT_TRUE(heard.waiting);
	CU_ASSERT_EQUAL(send(w.other, huge, 1, 0), 1);
	CU_ASSERT_EQUAL(gate_read_report(w.launch.gate[0], &heard, &err), -1);
	end(&w);
	free(huge);
}

// What the inside makes of a message of the outside's.
static int wait_for(const void *message, size_t size, enum gate_kind kind, struct err *err)
{
	struct world w;
	enum gate_kind got[2] = { 0, (enum gate_kind)0x5a5a5a5a };
	begin(&w, true);
	if (message) {
		CU_ASSERT_EQUAL(send(w.other, message, size, 0), (ssize_t)size);
	} else {
		fd_close(&w.other);
	}
	int result = gate_wait(&w.launch, got, sizeof(got[0]), kind, err);
	CU_ASSERT_EQUAL((int)got[1], 0x5a5a5a5a);
	end(&w);
	return result;
}

TEST(gate, the_inside_goes_on_for_the_right_message_alone)
{
	struct err err = { 0 };
	int *huge = calloc(1, HUGE);
	for (int kind = -1; kind < 7; kind++) {
		huge[0] = kind;
		for (size_t size = 0; size <= sizeof(int); size++)
			CU_ASSERT_EQUAL(wait_for(huge, size, GATE_MAPPED, &err),
					size == sizeof(int) && kind == GATE_MAPPED ? 0 : -1);
		CU_ASSERT_EQUAL(wait_for(huge, HUGE, GATE_MAPPED, &err), kind == GATE_MAPPED ? 0 : -1);
	}
	CU_ASSERT_EQUAL(wait_for(NULL, 0, GATE_MAPPED, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "the launcher is gone");
	free(huge);
}

// Its texts: both are texts, whatever came.
static void go(char fill, size_t size, size_t hosts_size, size_t resolv_size)
{
	struct world w;
	struct err err = { 0 };
	const char *hosts = NULL, *resolv = NULL;
	char *message = malloc(HUGE);
	const enum gate_kind kind = GATE_GO;
	memset(message, fill, HUGE);
	memcpy(message, &kind, sizeof(kind));
	begin(&w, true);
	CU_ASSERT_EQUAL(send(w.other, message, size, 0), (ssize_t)size);
	CU_ASSERT_EQUAL(gate_wait_go(&w.launch, &hosts, &resolv, &err), 0);
	CU_ASSERT_EQUAL(strlen(hosts), hosts_size);
	CU_ASSERT_EQUAL(strlen(resolv), resolv_size);
	end(&w);
	free(message);
}

static void texts(void)
{
	go('\0', HUGE, 0, 0);
	go('x', sizeof(enum gate_kind) + 5, 5, 0);
	go('x', HUGE, GATE_TEXT_MAX - GATE_ENDS, 0); // without an end
}

TEST(gate, texts_without_an_end_have_one)
{
	unit_in_child(texts);
}

// The outside waits for mounts or a console and gets a message with descriptors.
static int confirm(const void *message, size_t size, size_t descriptors)
{
	struct world w;
	struct err err = { 0 };
	const struct report executing = { .kind = REPORT_EXECUTING };
	const int fds[] = { 0, 1, 2, 0, 1, 2 };
	begin(&w, false);
	w.spec.process.terminal = true;
	if (message) {
		CU_ASSERT_EQUAL(fd_send(w.other, message, size, fds, descriptors, NULL), 0);
	}
	fd_close(&w.other);
	CU_ASSERT_EQUAL(fd_write_full(w.launch.report[1], &executing, sizeof(executing)), 0);
	fd_close(&w.launch.report[1]);
	CU_ASSERT_EQUAL(gate_confirm(&w.launch, &err), 0);
	int console = w.launch.console;
	end(&w);
	return console;
}

TEST(gate, the_outside_takes_one_console_and_keeps_no_other_descriptor)
{
	const int before = count_descriptors();
	int *huge = calloc(1, HUGE);
	for (int kind = -1; kind < 7; kind++) {
		huge[0] = kind;
		CU_ASSERT_EQUAL(confirm(huge, sizeof(int), 1) >= 0, kind == GATE_CONSOLE);
		CU_ASSERT_EQUAL(confirm(huge, sizeof(int), 6) >= 0, kind == GATE_CONSOLE);
		CU_ASSERT_EQUAL(confirm(huge, sizeof(int), 0), -1);
		CU_ASSERT_EQUAL(confirm(huge, sizeof(int) - 1, 1), -1);
		CU_ASSERT_EQUAL(confirm(huge, HUGE, 1) >= 0, kind == GATE_CONSOLE);
	}
	CU_ASSERT_EQUAL(confirm(NULL, 0, 0), -1);
	CU_ASSERT_EQUAL(count_descriptors(), before);
	free(huge);
}

TEST(gate, the_outside_hears_that_the_inside_is_gone)
{
	static const enum gate_kind wrong[] = { GATE_GO, GATE_CONSOLE, 0, (enum gate_kind)99 };
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct world w;
		struct err err = { 0 };
		begin(&w, false);
		if (i < sizeof(wrong) / sizeof(wrong[0])) {
			CU_ASSERT_EQUAL(fd_send(w.other, &wrong[i], sizeof(wrong[i]), NULL, 0, NULL), 0);
		}
		fd_close(&w.other);
		CU_ASSERT_EQUAL(gate_wait_mounted(&w.launch, &err), -1);
		CU_ASSERT_EQUAL(err.code, EIO);
		end(&w);
	}
}
