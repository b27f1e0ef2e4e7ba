// SPDX-License-Identifier: GPL-2.0-or-later
// attack.c - what hostile images and neighbours do; a static program that tests run inside and beside containers
//
//   attack swap A B SECONDS      exchanges two names as fast as it can: "swaps=N"
//   attack exe PATH...           tries to get at the file behind a link such as /proc/1/exe, in every known way
//   attack trace PID             tries to trace a process, and to read its memory
//
// Each try prints "name=ok" or "name=ERRNO". Where success would do harm, the file must be one that may be harmed.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MS_REMOUNT // <sys/mount.h> collides with <linux/mount.h>
#define MS_REMOUNT 32
#define MS_BIND 4096
#endif

enum { RENAME_SWAP = 2 }; // RENAME_EXCHANGE

static void say(const char *name, long result)
{
	printf("%s=%s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > INT_MAX) {
		fprintf(stderr, "attack: '%s' isn't a number\n", text);
		exit(2);
	}
	return value;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int act_swap(char **args)
{
	double end = now() + (double)number(args[2]);
	unsigned long swaps = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (now() < end)
		for (int i = 0; i < 1000; i++)
			swaps += syscall(SYS_renameat2, AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_SWAP) == 0;
	printf("swaps=%lu\n", swaps);
	return 0;
}

// O_TRUNC makes the kernel look at the mount and the permissions before it says that the file is being executed.
static int act_exe(char **args)
{
	for (; *args; args++) {
		struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
		char path[64];
		int fd = open(*args, O_PATH | O_CLOEXEC);

		say("find", fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		say("remount", syscall(SYS_mount, "none", path, NULL, MS_REMOUNT | MS_BIND, NULL));
		say("setattr", syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
		say("write", open(*args, O_WRONLY | O_TRUNC | O_CLOEXEC));
		say("reopen", open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
		say("truncate", truncate(*args, 0));
		say("chmod", chmod(*args, 0777));
	}
	return 0;
}

static int act_trace(char **args)
{
	pid_t pid = (pid_t)number(args[0]);
	char path[64], target[64];

	say("seize", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	say("mem", open(path, O_RDONLY | O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/%d/root/", pid);
	say("root", open(path, O_RDONLY | O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/%d/fd/0", pid);
	say("fd", readlink(path, target, sizeof(target)));
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	say("environ", open(path, O_RDONLY | O_CLOEXEC));
	return 0;
}

static const struct {
	const char *name;
	int (*act)(char **args);
	int arguments;
} actions[] = {
	{ "swap", act_swap, 3 },
	{ "exe", act_exe, 1 },
	{ "trace", act_trace, 1 },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(argv[1], actions[i].name) && argc - 2 >= actions[i].arguments)
			return actions[i].act(argv + 2);
	fprintf(stderr, "usage: attack swap A B SECONDS | exe PATH... | trace PID\n");
	return 2;
}
