// SPDX-License-Identifier: GPL-2.0-or-later
// probe_oci.c - what an OCI configuration can set that nothing else of COSO's can, and the parts that engines' programs play
#include "tests/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// sched_setattr(2); glibc has it from 2.41 on.
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void print_scheduler(void)
{
	struct attributes a = { .size = sizeof(a) };
	long priority = syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0);

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0)
		printf("sched=%s\n", strerrorname_np(errno));
	printf("sched.policy=%u\nsched.nice=%d\nsched.priority=%u\nsched.flags=%llu\n", a.policy, a.nice, a.priority,
	       (unsigned long long)a.flags);
	printf("sched.times=%llu %llu %llu\n", (unsigned long long)a.runtime, (unsigned long long)a.deadline,
	       (unsigned long long)a.period);
	printf("ioprio=%ld:%ld\n", priority >> 13, priority & 7);
}

static void print_cpus(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Cpus_allowed_list:", 18) == 0)
			printf("cpulist=%s", line + 18 + strspn(line + 18, " \t"));
	}
	if (file)
		fclose(file);
}

// The calling thread's, by the kernel's own answers.
void probe_attributes(void)
{
	char key[512] = "";
	int mode = -1;
	unsigned long nodes[16] = { 0 };
	struct timespec boot, monotonic;

	print_scheduler();
	print_cpus();
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) < 0)
		printf("mempolicy=%s\n", strerrorname_np(errno));
	else
		printf("mempolicy=%#x:%#lx\n", mode, nodes[0]);
	printf("personality=%#x\n", (unsigned int)personality(0xffffffff));
	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, key, sizeof(key) - 1) < 0)
		snprintf(key, sizeof(key), "%s", strerrorname_np(errno));
	printf("keyring=%s\n", key);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	printf("boottime=%lld\nmonotonic=%lld\n", (long long)boot.tv_sec, (long long)monotonic.tv_sec);
}

static void stop(int signal)
{
	(void)signal; // it interrupts pause(2)
}

// hold N [CODE]: N children, until SIGTERM comes.
// Nothing but its memory has the word and the number.
int probe_count(char **args)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	unsigned int word = 0;
	(void)args;
	if (getrandom(&word, sizeof(word), 0) != (ssize_t)sizeof(word))
		return 1;
	for (int n = 1; n <= 3000; n++) {
		printf("%08x %d\n", word, n);
		fflush(stdout);
		nanosleep(&pause, NULL);
	}
	return 0;
}

int probe_hold(char **args)
{
	struct sigaction action = { .sa_handler = stop };
	long count = strtol(args[0], NULL, 10), code = args[1] ? strtol(args[1], NULL, 10) : 0;
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);
	for (; count > 0; count--) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		for (;;)
			pause();
	}
	sigaction(SIGTERM, &action, NULL);
	printf("holding\n");
	fflush(stdout);
	sigdelset(&old, SIGTERM);
	sigsuspend(&old);
	return (int)code;
}

// record PATH [WORD...]: appends who runs, how, and what is on stdin, as a line "argv|environment|folder|stdin".
int probe_record(char **args)
{
	char folder[4096] = "", input[65536];
	size_t size = fread(input, 1, sizeof(input) - 1, stdin);
	FILE *file = fopen(args[0], "ae");

	if (!file)
		return 1;
	input[size] = '\0';
	for (char **word = args - 2; *word; word++)
		fprintf(file, "%s ", *word);
	fputs("|", file);
	for (char **entry = environ; *entry; entry++)
		fprintf(file, "%s ", *entry);
	fprintf(file, "|%s|%s\n", getcwd(folder, sizeof(folder)) ? folder : "-", input);
	fclose(file);
	return 0;
}

// notify TEXT: as sd_notify(3).
int probe_notify(char **args)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path) {
		printf("notify=unset\n");
		return 1;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ssize_t n = sendto(fd, args[0], strlen(args[0]), 0, (const struct sockaddr *)&address, sizeof(address));
	printf("notify=%s\n", n < 0 ? strerrorname_np(errno) : "sent");
	return n < 0;
}

// node PATH MAJOR MINOR: makes a character device and opens it for reading: "PATH=ok" or "PATH=ERRNO".
int probe_node(char **args)
{
	unsigned int major = (unsigned int)strtoul(args[1], NULL, 10), minor = (unsigned int)strtoul(args[2], NULL, 10);
	int fd = mknod(args[0], S_IFCHR | 0666, makedev(major, minor)) < 0 ? -1 : open(args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	printf("%s=%s\n", args[0], fd < 0 ? strerrorname_np(errno) : "ok");
	return fd < 0;
}

static const struct {
	const char *name;
	long number;
} calls[] = {
	{ "getppid", SYS_getppid },
	{ "getpriority", SYS_getpriority },
	{ "personality", SYS_personality },
	{ "socket", SYS_socket },
	{ "sync", SYS_sync },
	{ "umask", SYS_umask },
	{ "unknown", 4000 },
};

static void call(const char *name, const unsigned long long values[6])
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) != 0)
			continue;
		long result = syscall(calls[i].number, values[0], values[1], values[2], values[3], values[4], values[5]);
		printf("%s=%s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
		fflush(stdout);
	}
}

// call NAME [NUMBER...]: one system call, in a child: "NAME=ok", "NAME=ERRNO" or "NAME=SIG…".
int probe_call(char **args)
{
	unsigned long long values[6] = { 0 };
	int status = 0;

	for (size_t i = 0; i < 6 && args[i + 1]; i++)
		values[i] = strtoull(args[i + 1], NULL, 0);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		call(args[0], values);
		_exit(0);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status))
		printf("%s=SIG%s\n", args[0], sigabbrev_np(WTERMSIG(status)));
	return 0;
}
