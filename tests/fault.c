// SPDX-License-Identifier: GPL-2.0-or-later
// fault.c - runs a command and lets one thing go wrong in it: a process killed, or a system call failed, at an exact moment
//
//   fault [-p PROCESS] [-n CALL | -w TEXT] [-c NUMBER] [-a] [-e ERRNO | -s SIGNAL [-t TARGET]] COMMAND [ARG...]
//
// Without -e and -s nothing goes wrong, and the number of system calls of each process is printed on stderr ("calls PROCESS N
// EXEC"; EXEC is the number of its last successful execve).
//
//   -p PROCESS  which process: 0 is the command's own (default), 1 the first that any of them made, 2 the second, ...; -1: each
//   -n CALL     at the start of its CALL-th system call, counted from 1 (of those that -c selects)
//   -w TEXT     at the start of a write(2) that contains TEXT, such as a line of --trace
//   -c NUMBER   count only the system call of this number
//   -a          not once but at every such call
//   -e ERRNO    fail it with this number
//   -s SIGNAL   send this signal to the process, or to the process TARGET if there is one by then
//
// Theory of operation. Every process is traced (ptrace(2)) with a stop at the start and the end of each system call. A call that is
// to fail gets the number -1, which no call has, and its result is replaced at its end. When the command's own process has
// ended, its status is returned (128 + signal) and what else still runs goes on untraced, as it would have.
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PROCESSES_MAX = 64,
	OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC
};

static struct plan {
	long process, call, name, error, signal, target;
	const char *text;
	bool always;
} plan = { .call = -1, .name = -1, .target = -1 };

static struct process {
	pid_t pid;
	long calls, exec; // exec: which call was its last execve
	bool failing;
} processes[PROCESSES_MAX];
static long count;
static bool done;

static void fail(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(125);
}

static struct process *find(pid_t pid)
{
	for (long i = 0; i < count; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
	}
	if (count == PROCESSES_MAX)
		return NULL;
	processes[count] = (struct process){ .pid = pid };
	return &processes[count++];
}

// Replaces the number of the call that begins (which = 0), or the result of the one that ends (which = 1).
static void replace(pid_t pid, int which, long value)
{
	struct user_regs_struct regs;
	struct iovec iov = { .iov_base = &regs, .iov_len = sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) < 0)
		return;
#if defined(__x86_64__)
	if (which == 0)
		regs.orig_rax = (unsigned long long)value;
	else
		regs.rax = (unsigned long long)value;
#elif defined(__aarch64__)
	int number = (int)value;
	struct iovec call = { .iov_base = &number, .iov_len = sizeof(number) };
	if (which == 0) {
		ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call);
		return;
	}
	regs.regs[0] = (unsigned long long)value;
#elif defined(__riscv)
	if (which == 0)
		regs.a7 = (unsigned long)value;
	else
		regs.a0 = (unsigned long)value;
#else
	errno = ENOSYS;
	fail("make a system call of this machine fail");
#endif
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov);
}

static bool writes(pid_t pid, const struct __ptrace_syscall_info *info, const char *text)
{
	char buffer[4096];
	size_t size = info->entry.args[2] < sizeof(buffer) ? (size_t)info->entry.args[2] : sizeof(buffer);
	struct iovec here = { .iov_base = buffer, .iov_len = size };
	struct iovec there = { .iov_base = (void *)(uintptr_t)info->entry.args[1], .iov_len = size };

	if (info->entry.nr != SYS_write)
		return false;
	ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
	return got > 0 && memmem(buffer, (size_t)got, text, strlen(text));
}

// Calls that have no error, or whose error the kernel acts on as if there were none: close(2) has closed, brk(2) answers with the
// break as it is.
static bool can_fail(long call)
{
	static const long never[] = { SYS_close,  SYS_brk,        SYS_getpid,       SYS_getppid, SYS_gettid,
				      SYS_getuid, SYS_geteuid,    SYS_getgid,       SYS_getegid, SYS_umask,
				      SYS_exit,   SYS_exit_group, SYS_rt_sigreturn, SYS_munmap };

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		if (never[i] == call)
			return false;
	}
	return true;
}

static bool is_moment(struct process *process, const struct __ptrace_syscall_info *info)
{
	if ((done && !plan.always) || (plan.error && !can_fail((long)info->entry.nr)) ||
	    (plan.process >= 0 && process - processes != plan.process))
		return false;
	if (plan.text)
		return writes(process->pid, info, plan.text);
	return (plan.name < 0 || (long)info->entry.nr == plan.name) && (plan.always || process->calls == plan.call);
}

static void on_call(struct process *process)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT && process->failing) {
		replace(process->pid, 1, -plan.error);
		process->failing = false;
	}
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return;
	process->calls += plan.name < 0 || (long)info.entry.nr == plan.name;
	if (!(plan.error || plan.signal) || !is_moment(process, &info))
		return;
	done = true;
	if (plan.signal) {
		if (plan.target < count)
			kill(plan.target < 0 ? process->pid : processes[plan.target].pid, (int)plan.signal);
		return;
	}
	process->failing = true;
	replace(process->pid, 0, -1);
}

// One stop of one process. Returns the signal that it has to get.
static int on_stop(struct process *process, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (signal == (SIGTRAP | 0x80)) {
		on_call(process);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC)
		process->exec = process->calls;
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
		unsigned long child = 0;
		if (ptrace(PTRACE_GETEVENTMSG, process->pid, 0, &child) == 0)
			find((pid_t)child);
	}
	return event ? 0 : signal;
}

static int trace(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		struct process *process = find(pid);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (process == &processes[0])
				return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			continue;
		}
		int signal = process ? on_stop(process, status) : 0;
		bool stopped = status >> 16 == PTRACE_EVENT_STOP && (WSTOPSIG(status) == SIGSTOP || WSTOPSIG(status) == SIGTSTP);
		ptrace(stopped ? PTRACE_LISTEN : PTRACE_SYSCALL, pid, 0, signal);
	}
	return 125;
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end) {
		fprintf(stderr, "fault: '%s' isn't a number\n", text);
		exit(125);
	}
	return value;
}

static char **parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+p:n:w:c:e:s:t:a")) >= 0) {
		switch (option) {
		case 'p':
			plan.process = number(optarg);
			break;
		case 'n':
			plan.call = number(optarg);
			break;
		case 'w':
			plan.text = optarg;
			break;
		case 'c':
			plan.name = number(optarg);
			break;
		case 'e':
			plan.error = number(optarg);
			break;
		case 's':
			plan.signal = number(optarg);
			break;
		case 't':
			plan.target = number(optarg);
			break;
		case 'a':
			plan.always = true;
			break;
		default:
			exit(125);
		}
	}
	if (optind >= argc) {
		fprintf(stderr,
			"usage: fault [-p PROCESS] [-n CALL | -w TEXT] [-c NUMBER] [-a] [-e ERRNO | -s SIGNAL [-t TARGET]] COMMAND [ARG...]\n");
		exit(125);
	}
	return argv + optind;
}

int main(int argc, char *argv[])
{
	char **command = parse(argc, argv);
	int gate[2];
	char byte;

	if (pipe(gate) < 0)
		fail("pipe");
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) != 1)
			_exit(125);
		close(gate[0]);
		execvp(command[0], command);
		fprintf(stderr, "fault: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(gate[0]);
	if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS) < 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0)
		fail("trace");
	find(pid);
	if (write(gate[1], "", 1) != 1)
		fail("write");
	close(gate[1]);
	int status = trace();
	if (!plan.error && !plan.signal) {
		for (long i = 0; i < count; i++)
			fprintf(stderr, "calls %ld %ld %ld\n", i, processes[i].calls, processes[i].exec);
	}
	return status;
}
