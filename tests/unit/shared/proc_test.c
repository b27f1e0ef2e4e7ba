// SPDX-License-Identifier: GPL-2.0-or-later
// proc_test.c - processes
#include "shared/proc.h"

#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// A process whose name is what a parser that looks for the first ')' trips over.
static pid_t fork_sleeper(void)
{
	int ends[2];
	char byte;
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a) Z (b");
		close(ends[0]);
		close(ends[1]);
		for (;;)
			pause();
	}
	close(ends[1]);
	CU_ASSERT_EQUAL(read(ends[0], &byte, 1), 0); // it has its name by now
	close(ends[0]);
	return pid;
}

TEST(proc, start_time_is_an_identity)
{
	pid_t pid = fork_sleeper();
	uint64_t start = proc_start_time(pid);
	CU_ASSERT_TRUE(start >= proc_start_time(getpid()));
	CU_ASSERT_EQUAL(proc_start_time(pid), start);
	own_fd int right = proc_open(pid, start);
	CU_ASSERT_TRUE(right >= 0);
	CU_ASSERT_EQUAL(proc_open(pid, 0), -1);
	CU_ASSERT_EQUAL(proc_open(pid, start + 1), -1);
	CU_ASSERT_EQUAL(errno, ESRCH);

	int status = 0;
	CU_ASSERT_EQUAL(proc_wait(right, 20, &status), 0); // still there
	kill(pid, SIGKILL);
	CU_ASSERT_EQUAL(fd_wait(right, 5000), 1);
	CU_ASSERT_EQUAL(proc_start_time(pid), 0); // a zombie
	CU_ASSERT_EQUAL(proc_wait(right, 5000, &status), 1);
	CU_ASSERT_EQUAL(proc_exit_code(status), 128 + SIGKILL);
	CU_ASSERT_EQUAL(proc_start_time(pid), 0);
	CU_ASSERT_EQUAL(proc_open(pid, 0), -1);
}

TEST(proc, boot_id_is_a_uuid_that_stays)
{
	const char *id = proc_boot_id();
	CU_ASSERT_EQUAL(strlen(id), 36);
	CU_ASSERT_EQUAL(strspn(id, "0123456789abcdef-"), 36);
	CU_ASSERT_STRING_EQUAL(proc_boot_id(), id);
	CU_ASSERT_FALSE(proc_is_other_boot(id));
	CU_ASSERT_TRUE(proc_is_other_boot("01234567-89ab-cdef-0123-456789abcdef"));
	CU_ASSERT_FALSE(proc_is_other_boot("")); // what isn't known ends nobody
	CU_ASSERT_FALSE(proc_is_other_boot(NULL));
}

TEST(proc, exit_codes_are_a_shells)
{
	CU_ASSERT_EQUAL(proc_exit_code(W_EXITCODE(0, 0)), 0);
	CU_ASSERT_EQUAL(proc_exit_code(W_EXITCODE(7, 0)), 7);
	CU_ASSERT_EQUAL(proc_exit_code(W_EXITCODE(0, SIGTERM)), 143);
}

// Runs a line of shell as a helper. `cap` and the time-out as given.
static int run_shell(struct arena *arena, const char *line, int timeout_ms, size_t cap, struct proc_result *out)
{
	char *argv[] = { "sh", "-c", (char *)line, NULL };
	char *env[] = { "PATH=/usr/bin:/bin", "COSO_ID=x", NULL };
	struct proc_run run = { .path = "/bin/sh", .argv = argv, .env = env, .timeout_ms = timeout_ms, .cap = cap };
	return proc_run(arena, &run, out, NULL);
}

TEST(proc, run_keeps_what_a_helper_says)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	CU_ASSERT_EQUAL_FATAL(run_shell(&arena, "echo out; echo err >&2; echo $COSO_ID $HOME; exit 7", 5000, 100, &result), 0);
	CU_ASSERT_EQUAL(proc_exit_code(result.status), 7);
	CU_ASSERT_FALSE(result.timed_out);
	CU_ASSERT_STRING_EQUAL(result.out, "out\nx\n"); // its environment is the one given, and no other
	CU_ASSERT_STRING_EQUAL(result.err, "err\n");
}

TEST(proc, run_gives_three_descriptors_and_default_signals)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	sigset_t set, old;
	int leaked = dup(0); // inherited, without CLOEXEC
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGRTMAX, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(run_shell(&arena, "ls -m /proc/$$/fd; readlink /proc/$$/fd/0", 5000, 1000, &result), 0);
	CU_ASSERT_STRING_EQUAL(result.out, "0, 1, 2\n/dev/null\n");
	char *argv[] = { "grep", "Sig", "/proc/self/status", NULL }; // without a shell, which would unblock them itself
	struct proc_run run = { .path = "/bin/grep", .argv = argv, .timeout_ms = 5000, .cap = 1000 };
	CU_ASSERT_EQUAL_FATAL(proc_run(&arena, &run, &result, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "SigBlk:\t0000000000000000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(result.out, "SigIgn:\t0000000000000000"));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGRTMAX, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	fd_close(&leaked);
}

TEST(proc, run_reads_on_but_keeps_no_more_than_the_cap)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	CU_ASSERT_EQUAL_FATAL(run_shell(&arena, "head -c 1000000 /dev/zero | tr '\\0' x; exit 3", 20000, 10, &result), 0);
	CU_ASSERT_STRING_EQUAL(result.out, "xxxxxxxxxx");
	CU_ASSERT_EQUAL(proc_exit_code(result.status), 3);
}

TEST(proc, run_kills_the_whole_group_at_the_deadline)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	int64_t before = proc_now_ms();
	CU_ASSERT_EQUAL_FATAL(run_shell(&arena, "sleep 60 & echo $!; wait", 200, 100, &result), 0);
	CU_ASSERT_TRUE(result.timed_out);
	CU_ASSERT_EQUAL(proc_exit_code(result.status), 128 + SIGKILL);
	CU_ASSERT_TRUE(proc_now_ms() - before < 5000);
	pid_t child = 0;
	for (const char *c = result.out; *c >= '0' && *c <= '9'; c++)
		child = child * 10 + (*c - '0');
	CU_ASSERT_TRUE_FATAL(child > 1);
	for (int i = 0; i < 500 && proc_start_time(child) != 0; i++)
		usleep(10000);
	CU_ASSERT_EQUAL(proc_start_time(child), 0); // the grandchild too
}

TEST(proc, run_does_not_wait_for_what_a_helper_leaves_behind)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	int64_t before = proc_now_ms();
	CU_ASSERT_EQUAL_FATAL(run_shell(&arena, "sleep 2 & echo started", 20000, 100, &result), 0);
	CU_ASSERT_STRING_EQUAL(result.out, "started\n");
	CU_ASSERT_TRUE(proc_now_ms() - before < 1500);
}

TEST(proc, run_names_what_could_not_be_started)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	struct err err = { 0 };
	char *argv[] = { "x", NULL };
	struct proc_run run = { .path = "/nothing/here", .argv = argv, .cap = 10 };
	CU_ASSERT_EQUAL(proc_run(&arena, &run, &result, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_STRING_EQUAL(err.msg, "start '/nothing/here': No such file or directory");
	run.path = "/etc/passwd";
	CU_ASSERT_EQUAL(proc_run(&arena, &run, &result, &err), -1);
	CU_ASSERT_EQUAL(err.code, EACCES);
}

TEST(proc, run_leaves_no_descriptor_open)
{
	own_arena struct arena arena = { 0 };
	struct proc_result result = { 0 };
	int before = dup(0);
	run_shell(&arena, "true", 5000, 10, &result);
	run_shell(&arena, "sleep 60", 20, 10, &result);
	int after = dup(0);
	CU_ASSERT_EQUAL(after, before + 1);
	fd_close(&before);
	fd_close(&after);
}
