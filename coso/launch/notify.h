// SPDX-License-Identifier: GPL-2.0-or-later
// notify.h - hands the listener of a filter with SCMP_ACT_NOTIFY to the program that answers: listenerPath. seccomp_unotify(2)
//
// Inside: seccomp_apply_listening, then notify_hand_over, which says by one write(2) where the descriptor is, and waits. Outside, when
// that report (REPORT_LISTENER of gate.h) was read: notify_send takes the descriptor out of the process and sends it on, then
// notify_go lets the process go on. What the filter does to any other call doesn't matter on the way, so the descriptor goes by no
// message: only write(2), for which no profile may ask a listener, and read(2), for which one may, but which it has to allow.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

#include <sys/types.h>

// Inside: reports on `out` (launch->report[1]), waits for notify_go on `in` (launch->gate[1], or again the connection that start made),
// and closes the listener. Should: come right after the filter was applied. Async-signal-safe.
int notify_hand_over(int *listener, int out, int in, struct err *err);

// The process whose filter it is.
struct notify_process {
	pid_t pid; // as the runtime sees it
	int pidfd;
	int listener; // of the report
};

// Outside. `state` is the container's state as JSON ("creating" for the first process, "running" for exec's). Connects to
// spec->process.seccomp_listener and sends one message: the container process state of the OCI runtime specification, with the
// descriptor. Needs CAP_SYS_PTRACE, since the process isn't dumpable. pidfd_getfd(2), Linux 5.6
int notify_send(const struct spec *spec, const struct notify_process *process, const char *state, struct err *err);

// Outside: `fd` is the other end of `in`.
int notify_go(int fd, struct err *err);
