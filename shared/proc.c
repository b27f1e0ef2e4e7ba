// SPDX-License-Identifier: GPL-2.0-or-later
// proc.c - processes
#include "shared/proc.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BOOT_ID_SIZE = 64 };

uint64_t proc_start_time(pid_t pid)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? fd_read_full(fd, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	// The name may hold anything, so count from the last ')': state is field 3, the start time field 22.
	char *save = NULL, *field = strrchr(text, ')');
	if (!field)
		return 0;
	field = strtok_r(field + 1, " ", &save);
	if (!field || *field == 'Z' || *field == 'X')
		return 0;
	for (int i = 3; field && i < 22; i++)
		field = strtok_r(NULL, " ", &save);
	uint64_t start = 0;
	return field && num_u64("start time", field, 0, UINT64_MAX, &start, NULL) == 0 ? start : 0;
}

bool proc_lives(pid_t pid, uint64_t start_time)
{
	return pid > 0 && start_time && proc_start_time(pid) == start_time;
}

int proc_open(pid_t pid, uint64_t start_time)
{
	own_fd int fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		return -1;
	if (!proc_lives(pid, start_time)) { // now, so it had that number then, too
		errno = ESRCH;
		return -1;
	}
	return take_fd(&fd);
}

const char *proc_boot_id(void)
{
	static char id[BOOT_ID_SIZE];
	own_arena struct arena arena = { 0 };
	const char *text = *id ? NULL : file_read(&arena, AT_FDCWD, "/proc/sys/kernel/random/boot_id", FILE_SMALL, NULL, NULL);
	if (text)
		snprintf(id, sizeof(id), "%.*s", (int)strcspn(text, "\n"), text);
	return id;
}

bool proc_is_other_boot(const char *id)
{
	const char *now = proc_boot_id();
	return id && *id && *now && !str_eq(id, now);
}

int64_t proc_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int proc_wait(int pidfd, int timeout_ms, int *out_status)
{
	int64_t deadline = proc_now_ms() + timeout_ms;
	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : deadline - proc_now_ms();
		int ready = fd_wait(pidfd, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);
		if (ready == 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready > 0)
			break;
	}
	siginfo_t info = { 0 };
	if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		return -1;
	*out_status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : info.si_status;
	return 1;
}

int proc_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void proc_default_signals(void)
{
	// The kernel's own struct sigaction, whose first word is the handler; all zero: SIG_DFL. signal(3) refuses 32 and 33, which may arrive
	// ignored from a caller.
	static const unsigned long zero[8];
	enum { SET = 8 }; // bytes of the kernel's sigset_t
	for (int i = 1; i < NSIG; i++) {
		unsigned long now[8] = { (unsigned long)SIG_IGN };
		if (syscall(SYS_rt_sigaction, i, NULL, now, SET) < 0 || now[0] == (unsigned long)SIG_IGN)
			syscall(SYS_rt_sigaction, i, zero, NULL, SET);
	}
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, SET);
}

// What the helper reads, whole and from its start: it needs nobody to write while it reads, and may leave it unread.
static int open_input(const char *text)
{
	if (!text)
		return open("/dev/null", O_RDONLY); // without O_CLOEXEC: it may be descriptor 0 already, which dup2 would leave so
	int fd = memfd_create("input", 0);
	if (fd >= 0 && (fd_write_full(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0))
		fd_close(&fd);
	return fd;
}

// The helper's side; `report` is CLOEXEC and carries the errno of what failed before it was executed.
static void become(const struct proc_run *run, pid_t parent, int out, int error, int report)
{
	static char *const empty[] = { NULL };
	int input = open_input(run->input), code = run->input && input < 0 ? errno : 0;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	proc_default_signals();
	dup2(run->out > 0 ? run->out : out, STDOUT_FILENO);
	dup2(run->err > 0 ? run->err : error, STDERR_FILENO);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	else
		close(STDIN_FILENO);
	sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (!code && run->folder && chdir(run->folder) < 0)
		code = errno;
	if (!code) {
		execve(run->path, run->argv, run->env ? run->env : empty);
		code = errno;
	}
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

struct gather {
	int fd;
	char *text;
	size_t size;
};

static void gather(struct gather *g, size_t cap)
{
	char drop[4096];
	bool room = g->size < cap;
	ssize_t n = room ? read(g->fd, g->text + g->size, cap - g->size) : read(g->fd, drop, sizeof(drop));
	if (n > 0 && room)
		g->size += (size_t)n;
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		fd_close(&g->fd);
}

// Reads both outputs until the helper ended. What it left running may hold the pipes open: then what is there by now is enough.
static int converse(const struct proc_run *run, int pidfd, struct gather both[2], struct proc_result *result)
{
	int64_t deadline = run->timeout_ms ? proc_now_ms() + run->timeout_ms : INT64_MAX;
	bool ended = false;
	while (!ended || both[0].fd >= 0 || both[1].fd >= 0) {
		struct pollfd p[4] = {
			{ .fd = both[0].fd, .events = POLLIN },
			{ .fd = both[1].fd, .events = POLLIN },
			{ .fd = ended ? -1 : pidfd, .events = POLLIN },
			{ .fd = ended || run->cancel_fd <= 0 ? -1 : run->cancel_fd, .events = POLLIN },
		};
		int64_t left = deadline - proc_now_ms();
		int n = poll(p, 4, ended ? 0 : run->timeout_ms ? (left > 0 ? (int)left : 0) : -1);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0 && !ended) {
			result->timed_out = true;
			return 0;
		}
		if (n == 0)
			return 0;
		for (int i = 0; i < 2; i++) {
			if (n > 0 && p[i].revents)
				gather(&both[i], run->cap);
		}
		ended = ended || (n > 0 && p[2].revents);
		if (n > 0 && p[3].revents && !ended) {
			result->cancelled = true;
			return 0;
		}
	}
	return 0;
}

static int start(const struct proc_run *run, struct gather both[2], int *out_pidfd, struct err *err)
{
	int out[2] = { -1, -1 }, error[2] = { -1, -1 }, report[2] = { -1, -1 }, pidfd = -1, code = 0;
	int result = -1;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
		err_sys(err, "make pipes for '%s'", run->path);
		goto done;
	}
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	pid_t self = getpid();
	int pid = sys_clone3(&args);
	if (pid == 0)
		become(run, self, out[1], error[1], report[1]);
	if (pid < 0) {
		err_sys(err, "start '%s'", run->path);
		goto done;
	}
	setpgid(pid, pid); // both sides do it, so that it has happened whoever comes first
	fd_close(&report[1]);
	if (fd_read_full(report[0], &code, sizeof(code)) == (ssize_t)sizeof(code)) {
		int status;
		proc_wait(pidfd, -1, &status);
		errno = code;
		err_sys(err, "start '%s'", run->path);
		goto done;
	}
	both[0].fd = take_fd(&out[0]);
	both[1].fd = take_fd(&error[0]);
	*out_pidfd = take_fd(&pidfd);
	result = pid;
done:
	for (int i = 0; i < 2; i++) {
		fd_close(&out[i]);
		fd_close(&error[i]);
		fd_close(&report[i]);
	}
	fd_close(&pidfd);
	return result;
}

int proc_run(struct arena *arena, const struct proc_run *run, struct proc_result *out_result, struct err *err)
{
	struct gather both[2] = { { .fd = -1 }, { .fd = -1 } };
	struct proc_result result = { 0 };
	own_fd int pidfd = -1;

	int pid = start(run, both, &pidfd, err);
	if (pid < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		both[i].text = arena_alloc(arena, run->cap + 1);
	int failed = converse(run, pidfd, both, &result);
	if (failed || result.timed_out || result.cancelled) {
		kill(-pid, SIGKILL);
		sys_pidfd_send_signal(pidfd, SIGKILL); // it may have left its group
	}
	int ended = proc_wait(pidfd, -1, &result.status);
	for (int i = 0; i < 2; i++)
		fd_close(&both[i].fd);
	if (ended != 1) // ECHILD: SIGCHLD is ignored here, and the status is lost
		return err_sys(err, "learn how '%s' ended", run->path);
	if (failed)
		return err_set(err, EIO, "read what '%s' says: poll failed", run->path);
	result.out = both[0].text;
	result.err = both[1].text;
	*out_result = result;
	return 0;
}
