// SPDX-License-Identifier: GPL-2.0-or-later
// init.c - a built-in init
#include "coso/launch/init.h"

#include "coso/launch/launch.h"
#include "shared/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

// Reaps whatever has ended. True once the program itself has, with its exit code.
static bool reap(pid_t program, int *out_code)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == program) {
			*out_code = proc_exit_code(status);
			return true;
		}
	}
	return pid < 0 && errno == ECHILD;
}

static void serve(pid_t program, const sigset_t *signals)
{
	int code = 255;
	while (!reap(program, &code)) {
		siginfo_t info;
		int signal = sigwaitinfo(signals, &info);
		// The terminal's own signals reach the program's process group from the kernel; what comes from a process is passed on.
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(program, signal);
	}
	_exit(code);
}

int init_fork(struct launch *launch, struct err *err)
{
	sigset_t all, old;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(err, "block signals");
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "fork the init's child");
	if (pid == 0) {
		setpgid(0, 0);
		if (launch->tty >= 0)
			tcsetpgrp(STDIN_FILENO, getpid()); // SIGTTOU is blocked here
		sigprocmask(SIG_SETMASK, &old, NULL);
		return 0;
	}
	// The report pipe must end with the program's exec: only it may hold the writing end. And this process never executes
	// anything, so what is close-on-exec would stay open in the container.
	if (close_range(3, ~0U, 0) < 0)
		_exit(125);
	serve(pid, &all);
	return -1;
}
