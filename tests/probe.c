// SPDX-License-Identifier: GPL-2.0-or-later
// probe.c - what test containers run: says what it sees, one key=value a line, and does what limits must stop
//
//   probe FACTS...    ids caps ns mounts fds cwd env host rlimits signals process tty attributes, or all
//   probe ACTION [ARG...]
//
// The table `actions` at the end is the list. Static, so that it runs in a root that holds nothing else.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/probe.h"

static int fail(const char *what)
{
	printf("error=%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static unsigned long number(const char *text)
{
	unsigned long value = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, 10UL, &value)) {
			fprintf(stderr, "probe: %s: not a number\n", text);
			exit(2);
		}
		value += (unsigned long)(*c - '0');
	}
	return value;
}

// Prints the lines of /proc/self/status whose names are in `names`, as key=value.
static void print_status(const char *const *names)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[1024];

	if (!file) {
		fail("/proc/self/status");
		return;
	}
	while (fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		for (size_t i = 0; names[i]; i++) {
			if (strcmp(names[i], line) == 0)
				printf("%s=%s", line, value + strspn(value, " \t"));
		}
	}
	fclose(file);
}

static void print_file(const char *key, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[4096];

	if (!file) {
		fail(path);
		return;
	}
	while (fgets(line, sizeof(line), file))
		printf("%s=%s", key, line);
	fclose(file);
}

static void print_links(const char *key, const char *folder)
{
	DIR *dir = opendir(folder);
	char target[4096];

	if (!dir) {
		fail(folder);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (size < 0 || (strcmp(key, "fd") == 0 && number(entry->d_name) == (unsigned long)dirfd(dir)))
			continue;
		target[size] = '\0';
		printf("%s.%s=%s\n", key, entry->d_name, target);
	}
	closedir(dir);
}

static void facts_ids(void)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid, groups[256];

	getresuid(&ruid, &euid, &suid);
	getresgid(&rgid, &egid, &sgid);
	printf("uid=%u\neuid=%u\nsuid=%u\ngid=%u\negid=%u\nsgid=%u\n", ruid, euid, suid, rgid, egid, sgid);
	int count = getgroups(256, groups);
	printf("groups=");
	for (int i = 0; i < count; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	printf("\n");
	print_file("uid_map", "/proc/self/uid_map");
	print_file("gid_map", "/proc/self/gid_map");
}

static void facts_caps(void)
{
	static const char *const names[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", NULL };

	print_status(names);
	printf("securebits=%d\ndumpable=%d\nkeepcaps=%d\n", prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE),
	       prctl(PR_GET_KEEPCAPS));
}

static void facts_ns(void)
{
	print_links("ns", "/proc/self/ns");
}

static void facts_mounts(void)
{
	print_file("mount", "/proc/self/mountinfo");
}

static void facts_fds(void)
{
	print_links("fd", "/proc/self/fd");
}

static void facts_cwd(void)
{
	char path[4096];

	printf("cwd=%s\n", getcwd(path, sizeof(path)) ? path : strerrorname_np(errno));
}

static void facts_env(void)
{
	for (char **entry = environ; *entry; entry++)
		printf("env.%s\n", *entry);
}

static void facts_host(void)
{
	struct utsname name;

	uname(&name);
	printf("hostname=%s\ndomainname=%s\nkernel=%s\n", name.nodename, name.domainname, name.release);
}

static void facts_rlimits(void)
{
	static const char *const names[] = { "cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
					     "memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime" };

	for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
		struct rlimit limit;
		getrlimit((__rlimit_resource_t)i, &limit);
		printf("rlimit.%s=%lld:%lld\n", names[i], (long long)limit.rlim_cur, (long long)limit.rlim_max); // -1: unlimited
	}
}

static void facts_signals(void)
{
	static const char *const names[] = { "SigBlk", "SigIgn", "SigCgt", "SigPnd", NULL };
	int parent_death = 0;

	print_status(names);
	prctl(PR_GET_PDEATHSIG, &parent_death);
	printf("pdeathsig=%d\n", parent_death);
}

static void facts_process(void)
{
	mode_t mask = umask(0);
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	printf("pid=%d\nppid=%d\nsid=%d\npgid=%d\numask=%04o\ncpus=%d\n", getpid(), getppid(), getsid(0), getpgid(0), mask,
	       CPU_COUNT(&cpus));
	print_file("oom_score_adj", "/proc/self/oom_score_adj");
	print_file("cgroup", "/proc/self/cgroup");
}

static void facts_tty(void)
{
	char name[256];

	for (int fd = 0; fd < 3; fd++) {
		struct winsize size = { 0 };
		if (!isatty(fd) || ttyname_r(fd, name, sizeof(name)) != 0) {
			printf("tty.%d=%s\n", fd, isatty(fd) ? "unnamed" : "no");
			continue;
		}
		ioctl(fd, TIOCGWINSZ, &size);
		printf("tty.%d=%s %dx%d\n", fd, name, size.ws_row, size.ws_col);
	}
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	printf("controlling=%s\nforeground=%s\n", fd >= 0 ? "yes" : "no", fd >= 0 && tcgetpgrp(fd) == getpgrp() ? "yes" : "no");
	if (fd >= 0)
		close(fd);
}

static const struct {
	const char *name;
	void (*print)(void);
} facts[] = {
	{ "ids", facts_ids },
	{ "caps", facts_caps },
	{ "ns", facts_ns },
	{ "mounts", facts_mounts },
	{ "fds", facts_fds },
	{ "cwd", facts_cwd },
	{ "env", facts_env },
	{ "host", facts_host },
	{ "rlimits", facts_rlimits },
	{ "signals", facts_signals },
	{ "process", facts_process },
	{ "tty", facts_tty },
	{ "attributes", probe_attributes },
};

static bool print_facts(const char *name)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (strcmp(name, facts[i].name) == 0 || strcmp(name, "all") == 0) {
			facts[i].print();
			found = true;
		}
	}
	return found;
}

static int act_mem(char **args)
{
	size_t size = number(args[0]);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return fail("mmap");
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	printf("touched=%zu\n", size);
	return 0;
}

static int act_memhold(char **args)
{
	int status = act_mem(args);

	fflush(stdout);
	for (;;)
		pause();
	return status;
}

// Forks children that live until all are counted: a bomb with a bound.
static int act_fork(char **args)
{
	unsigned long count = number(args[0]), made = 0;
	int status = 0;

	for (; made < count; made++) {
		pid_t pid = fork();
		if (pid < 0) {
			status = fail("fork");
			break;
		}
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
	}
	printf("forked=%lu\n", made);
	fflush(stdout);
	return status;
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// Keeps a CPU busy for so many seconds; share: how much of one CPU it got.
static int act_spin(char **args)
{
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), length = (double)number(args[0]);

	while (seconds(CLOCK_MONOTONIC) - wall < length)
		;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("cpu=%.3f\nshare=%.0f\n", cpu, 100 * cpu / (seconds(CLOCK_MONOTONIC) - wall));
	return 0;
}

static int act_try(char **args)
{
	for (; *args; args++) {
		if (!probe_try(*args)) {
			fprintf(stderr, "probe: try: unknown '%s'\n", *args);
			return 2;
		}
	}
	return 0;
}

static int act_exit(char **args)
{
	return (int)number(args[0]);
}

static int act_signal(char **args)
{
	int number_of_signal = (int)number(args[0]);

	signal(number_of_signal, SIG_DFL);
	raise(number_of_signal);
	return fail("raise");
}

static int act_sleep(char **args)
{
	struct timespec length = { .tv_sec = (time_t)number(args[0]) };

	printf("sleeping\n");
	fflush(stdout);
	while (nanosleep(&length, &length) < 0 && errno == EINTR)
		;
	return 0;
}

// Waits for one of the signals (at most 30 s) and says which came.
static int act_catch(char **args)
{
	struct timespec limit = { .tv_sec = 30 };
	sigset_t set;

	sigemptyset(&set);
	for (; *args; args++)
		sigaddset(&set, (int)number(*args));
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("ready\n");
	fflush(stdout);
	int caught = sigtimedwait(&set, NULL, &limit);
	printf("caught=%d\n", caught);
	return caught > 0 ? 0 : 1;
}

// Leaves a grandchild that ends at once to whoever is pid 1, and says whether it was reaped within two seconds.
static int act_orphan(char **args)
{
	int channel[2], status;
	char path[64];
	pid_t orphan = 0;

	(void)args;
	if (pipe2(channel, O_CLOEXEC) < 0)
		return fail("pipe");
	pid_t child = fork();
	if (child == 0) {
		orphan = fork();
		if (orphan == 0)
			usleep(50000);
		else if (write(channel[1], &orphan, sizeof(orphan)) != sizeof(orphan))
			_exit(1);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0 || read(channel[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		return fail("fork");
	snprintf(path, sizeof(path), "/proc/%d", orphan);
	for (int i = 0; i < 100 && access(path, F_OK) == 0; i++)
		usleep(20000);
	printf("reaped=%s\n", access(path, F_OK) == 0 ? "no" : "yes");
	return 0;
}

static int act_write(char **args)
{
	int fd = open(args[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	const char *text = args[1] ? args[1] : "probe\n";

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0)
		return fail(args[0]);
	printf("written=%s\n", args[0]);
	return 0;
}

static int act_read(char **args)
{
	char text[65536];
	int fd = open(args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (size < 0)
		return fail(args[0]);
	fwrite(text, 1, (size_t)size, stdout);
	return 0;
}

static int act_stat(char **args)
{
	for (; *args; args++) {
		struct stat st;
		if (lstat(*args, &st) < 0) {
			printf("%s=%s\n", *args, strerrorname_np(errno));
			continue;
		}
		printf("%s=%o %u:%u %lld %u:%u\n", *args, st.st_mode, st.st_uid, st.st_gid, (long long)st.st_size,
		       (unsigned int)(st.st_rdev >> 8 & 0xfff), (unsigned int)(st.st_rdev & 0xff));
	}
	return 0;
}

static const struct {
	const char *name;
	int (*act)(char **args);
	int arguments; // at least
	const char *help;
} actions[] = {
	{ "mem", act_mem, 1, "N: allocate and touch N bytes" },
	{ "memhold", act_memhold, 1, "N: the same, and keep them" },
	{ "fork", act_fork, 1, "N: have N children at a time" },
	{ "spin", act_spin, 1, "SECONDS: use a CPU" },
	{ "try", act_try, 1, "NAME...: attempt risky system calls, print what each said" },
	{ "exit", act_exit, 1, "N: end with this status" },
	{ "signal", act_signal, 1, "N: end by this signal" },
	{ "sleep", act_sleep, 1, "SECONDS: say 'sleeping', then do" },
	{ "catch", act_catch, 1, "N...: wait for one of these signals" },
	{ "orphan", act_orphan, 0, "leave a zombie to pid 1; was it reaped?" },
	{ "write", act_write, 1, "PATH [TEXT]: make or replace a file" },
	{ "read", act_read, 1, "PATH: print at most 64 KiB" },
	{ "stat", act_stat, 1, "PATH...: mode, owner, size, device" },
	{ "tcp", probe_serve_tcp, 1, "PORT: one echo at a time, for at most 60 s" },
	{ "udp", probe_serve_udp, 1, "PORT: the same" },
	{ "ping", probe_ping, 1, "ADDRESS: one echo request, without privileges; 'pong' if it is answered within 3 s" },
	{ "hold", probe_hold, 1, "N [CODE]: have N children, say 'holding', and end with CODE at SIGTERM" },
	{ "count", probe_count, 0,
	  "every 20 ms, for a minute: a word that it made up at first, and how many times it has said it" },
	{ "record", probe_record, 1, "PATH [WORD...]: append how this was called, and what is on stdin" },
	{ "notify", probe_notify, 1, "TEXT: send it to $NOTIFY_SOCKET" },
	{ "node", probe_node, 3, "PATH MAJOR MINOR: make a character device, and open it" },
	{ "call", probe_call, 1, "NAME [NUMBER...]: one system call; what did it say?" },
	{ "send", probe_send, 3, "tcp|udp HOST PORT [TEXT]: send, and print what comes back within 3 s" },
};

int main(int argc, char *argv[])
{
	if (argc < 2) {
		for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
			printf("probe %s %s\n", actions[i].name, actions[i].help);
		return 2;
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(argv[1], actions[i].name) == 0 && argc - 2 >= actions[i].arguments)
			return actions[i].act(argv + 2);
	}
	for (int i = 1; i < argc; i++) {
		if (!print_facts(argv[i])) {
			fprintf(stderr, "probe: unknown '%s', or too few arguments\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
