// SPDX-License-Identifier: GPL-2.0-or-later
// proc.h - processes: who they are beyond their pid, waiting with a deadline, running a helper
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// The start time of a process in clock ticks since boot (field 22 of /proc/PID/stat): with the pid, its identity.
// 0: there is no such process, or it is a zombie.
uint64_t proc_start_time(pid_t pid);

// Whether that process lives, and is the one that started then. One of which that isn't known (0) doesn't: its pid may be anybody's.
bool proc_lives(pid_t pid, uint64_t start_time);

// Opens a pidfd of the process that started then. -1 with errno, ESRCH if it doesn't live.
int proc_open(pid_t pid, uint64_t start_time);

// What tells one run of the kernel from the next, in which pids and start times begin anew: a UUID, or "" where proc has none. Read
// once. /proc/sys/kernel/random/boot_id, random(4)
const char *proc_boot_id(void);

// True if that was noted in another run than this. Where either isn't known (NULL, ""), it is taken for this.
bool proc_is_other_boot(const char *id);

// Milliseconds of CLOCK_MONOTONIC.
int64_t proc_now_ms(void);

// Waits for a child through its pidfd. Returns 1 with the wait(2) status, 0 after `timeout_ms` (-1: for ever), -1 with errno.
int proc_wait(int pidfd, int timeout_ms, int *out_status);

// The exit code that a shell and Docker give a wait(2) status: the code, or 128 + the signal.
int proc_exit_code(int status);

// Before an exec, which resets the handlers itself: gives every ignored signal its default disposition and unblocks all, also the two
// that the C library keeps for itself. signal(7)
void proc_default_signals(void);

struct proc_run {
	const char *path;   // absolute, or relative to the working folder; PATH is not searched
	char *const *argv;  // NULL-terminated
	char *const *env;   // NULL-terminated; NULL: the empty environment
	const char *input;  // what it reads from stdin; NULL: /dev/null
	const char *folder; // its working folder; NULL: the caller's
	int timeout_ms;     // then the helper's whole process group is killed; 0: none
	int cancel_fd;      // once this is readable the helper's group is killed too; 0 or less: none
	int out, err;       // these get its outputs instead, whole; 0 or less: they are kept
	size_t cap;         // what is kept of each of its outputs, in bytes; the rest is read and dropped
};

struct proc_result {
	int status; // wait(2) status
	bool timed_out, cancelled;
	char *out, *err; // NUL-terminated, owned by the arena
};

// Runs a helper in a process group of its own, with no descriptor but its three, and with default
// signals. It dies with the caller. Returns 0 once it ended (whatever its status), -1 if it could not be started: then err->code is
// the errno of execve.
int proc_run(struct arena *arena, const struct proc_run *run, struct proc_result *out_result, struct err *err);
