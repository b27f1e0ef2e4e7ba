// SPDX-License-Identifier: GPL-2.0-or-later
// reaper.c - plays the part of an engine's shim: a subreaper, to which containers are left when their runtime has ended
//
//   reaper LOG COMMAND [ARG...]
//
// LOG gets a line for each process that was left to it and ended, "PID exit N" or "PID signal N". It ends when the command does, with
// the command's status.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	int log = argc > 2 ? open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : -1;
	int status;
	pid_t pid;

	if (log < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		fprintf(stderr, "usage: reaper LOG COMMAND [ARG...] (%s)\n", strerror(errno));
		return 125;
	}
	pid_t command = fork();
	if (command == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "reaper: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	while ((pid = wait(&status)) != command) {
		if (pid < 0)
			return 125;
		bool killed = WIFSIGNALED(status);
		dprintf(log, "%d %s %d\n", pid, killed ? "signal" : "exit", killed ? WTERMSIG(status) : WEXITSTATUS(status));
	}
	return code_of(status);
}
