// SPDX-License-Identifier: GPL-2.0-or-later
// gate.h - what passes between the two processes of a launch: the gates, one socket pair, and the error pipe
//
// On the pipe: nothing and end of file: the child died. REPORT_READY: it waits to be started (create). REPORT_EXECUTING and end of
// file: execve worked (the pipe is CLOEXEC). REPORT_FAILED: the message. REPORT_LISTENER: it waits until its filter's listener was
// handed over (notify.h). Each is one write(2) of less than PIPE_BUF bytes.
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stddef.h>

struct launch;

enum report_kind { REPORT_READY = 1, REPORT_EXECUTING, REPORT_FAILED, REPORT_LISTENER };

struct report {
	enum report_kind kind;
	int exit_code; // REPORT_FAILED: 125, 126 or 127
	int listener;  // REPORT_LISTENER: the descriptor's number in the child
	struct err err;
};

// Through the gate, either way. GATE_MOUNTED: the child has made its mounts (sent only if launch_wants_mounted). GATE_CONSOLE carries
// the pty's master.
enum gate_kind { GATE_MAPPED = 1, GATE_MOUNTED, GATE_GO, GATE_CONSOLE };

enum { GATE_TEXT_MAX = 32 << 10, GATE_ENDS = 2 }; // the two NULs

struct gate_message {
	enum gate_kind kind;
	char text[GATE_TEXT_MAX]; // GATE_GO: /etc/hosts, a NUL, what replaces /etc/resolv.conf ("": nothing does), a NUL
};

// Outside. A child that is gone has said why: that is the error.
int gate_send(struct launch *launch, const void *message, size_t size, struct err *err);

// Outside: waits for GATE_MOUNTED.
int gate_wait_mounted(struct launch *launch, struct err *err);

// What the child has said so far.
struct gate_heard {
	bool waiting;   // it waits to be started
	bool executing; // the last stage was reached
	bool failed;    // in its own words
	bool listening; // it waits until `listener` was handed over
	int listener;
	int exit_code; // if it failed: what that means to a shell
};

// Outside: reads one report from `fd`, the pipe or start's connection. Returns 1 if there may be more, 0 at the end, -1 with what went
// wrong in the child.
int gate_read_report(int fd, struct gate_heard *heard, struct err *err);

// Outside. Should: return once execve worked or the child waits to be started, or with the child's own reason. Mustn't: wait for ever
// for a child that hangs.
int gate_confirm(struct launch *launch, struct err *err);

// Inside: waits for one message of that kind.
int gate_wait(struct launch *launch, void *message, size_t size, enum gate_kind kind, struct err *err);

// Inside: waits for GATE_GO, whose texts stay.
int gate_wait_go(struct launch *launch, const char **out_hosts, const char **out_resolv, struct err *err);

// Inside.
int gate_say(struct launch *launch, enum gate_kind kind, const int *fd, struct err *err); // fd NULL: none
int gate_report(struct launch *launch, enum report_kind kind, struct err *err);
