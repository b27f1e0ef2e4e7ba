// SPDX-License-Identifier: GPL-2.0-or-later
// report.h - what the child says to its parent between clone3 and exec
//
// On the pipe: nothing and end-of-file: it died. REPORT_EXECUTING and end-of-file: execve worked (the pipe is CLOEXEC).
// REPORT_FAILED: the message. Each is one write(2) of less than PIPE_BUF bytes.
#pragma once

#include "shared/err.h"

enum report_kind { REPORT_EXECUTING = 1, REPORT_FAILED };

struct report {
	enum report_kind kind;
	int exit_code; // REPORT_FAILED: 125, 126 or 127
	struct err err;
};

// What passes through the gate, either way. GATE_CONSOLE carries the pty's master.
enum gate_kind { GATE_MAPPED = 1, GATE_GO, GATE_CONSOLE };

enum { GATE_TEXT_MAX = 32 << 10 };

struct gate_message {
	enum gate_kind kind;
	char text[GATE_TEXT_MAX]; // GATE_GO: /etc/hosts, a NUL, what replaces /etc/resolv.conf ("": nothing does), a NUL
};
