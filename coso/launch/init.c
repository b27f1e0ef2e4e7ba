// SPDX-License-Identifier: GPL-2.0-or-later
// init.c - a built-in init
//
// It is forked once the container's filter, ids and capabilities are in force, so that pid 1 has no right that the program hasn't. A
// filter made for the program may forbid what an init likes to do: what only it needs is done before (init_prepare), or done without.
#include "coso/launch/init.h"

#include "coso/launch/caps.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Where the kernel put the arguments and the environment that coso was called with: /proc/1/cmdline and environ read them there.
struct words {
	char *begin, *copy;
	size_t size;
};

void init_prepare(const struct launch *launch)
{
	const int kept[] = { launch->gate[1], launch->report[1], launch->trace, launch->proc };
	fd_close_others(STDERR_FILENO + 1, kept, sizeof(kept) / sizeof(kept[0]));
}

// The environment's end is the beginning of the name that was executed. Linux: fs/exec.c
static int keep_words(struct words *words, struct err *err)
{
	char *begin = program_invocation_name, *end = (char *)(uintptr_t)getauxval(AT_EXECFN);
	*words = (struct words){ 0 };
	if (!begin || !end || begin >= end)
		return err_set(err, EINVAL, "find the command line, to hide it");
	size_t size = (size_t)(end - begin);
	void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return err_sys(err, "hide the command line");
	*words = (struct words){ .begin = begin, .copy = memcpy(copy, begin, size), .size = size };
	return 0;
}

// Before the fork, so that there is no moment at which the program could read them; its own words point there, so it gets them back.
static void hide_words(const struct words *words)
{
	memset(words->begin, 0, words->size);
	snprintf(words->begin, words->size, "coso-init");
}

// Reaps whatever has ended. True once the program itself has, with its exit code, or if that can't be known.
static bool reap(pid_t program, int flags, int *out_code)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, flags)) > 0) {
		if (pid == program) {
			*out_code = proc_exit_code(status);
			return true;
		}
	}
	return pid < 0 && errno != EINTR;
}

static void serve(pid_t program, const sigset_t *signals)
{
	int code = 255, flags = WNOHANG;
	while (!reap(program, flags, &code)) {
		siginfo_t info;
		int signal = flags ? sigwaitinfo(signals, &info) : 0;
		if (signal < 0 && errno != EINTR)
			flags = 0; // the filter forbids it: nothing is forwarded, and waitpid sleeps
		// The terminal's own signals reach the program's process group from the kernel; what comes from a process is passed on.
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(program, signal);
	}
	_exit(code);
}

static int start_program(const struct launch *launch, pid_t init, struct err *err)
{
	setpgid(0, 0);
	if (launch->tty >= 0)
		tcsetpgrp(STDIN_FILENO, getpid()); // SIGTTOU is blocked here
	if (launch->spec->namespaces & CLONE_NEWPID)
		return 0;
	// Otherwise the kernel ends all with pid 1.
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, "PR_SET_PDEATHSIG");
	return getppid() == init ? 0 : err_set(err, EPIPE, "the init is gone");
}

// Mustn't fail: a filter may forbid either, and then it has no more rights than the program.
static void shed_rights(const struct spec_caps *own)
{
	const uint64_t signals = own->permitted & UINT64_C(1) << CAP_KILL; // to a program that changed its user
	const struct spec_caps caps = { .effective = signals, .permitted = signals };
	struct err ignored;
	prctl(PR_SET_DUMPABLE, 0);           // a change of user may have set it. prctl(2)
	if (caps_apply(&caps, &ignored) < 0) // the program's user hasn't even that one
		(void)caps_apply(&(const struct spec_caps){ 0 }, &ignored);
}

int init_fork(struct launch *launch, struct err *err)
{
	sigset_t all, old;
	struct words words;
	sigfillset(&all);
	if (keep_words(&words, err) < 0)
		return -1;
	if (sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(err, "block signals");
	hide_words(&words);
	pid_t init = getpid(), pid = fork();
	if (pid <= 0) {
		int code = errno;
		memcpy(words.begin, words.copy, words.size);
		errno = code;
	}
	if (pid < 0)
		return err_sys(err, "fork the init's child");
	if (pid == 0) {
		int result = start_program(launch, init, err);
		sigprocmask(SIG_SETMASK, &old, NULL);
		return result;
	}
	munmap(words.copy, words.size);
	// The report pipe must end with the program's exec: only it may hold the writing end.
	fd_close(&launch->report[1]);
	fd_close(&launch->gate[1]);
	fd_close(&launch->trace);
	fd_close(&launch->proc); // all of it, which the container sees through masks
	shed_rights(&launch->spec->process.caps);
	serve(pid, &all);
	return -1;
}
