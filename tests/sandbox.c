// SPDX-License-Identifier: GPL-2.0-or-later
// sandbox.c - runs a command of a test where it can't touch the host
//
//   sandbox STATE COMMAND [ARG...]
//
// Theory of operation. The command gets mount and network namespaces of its own, with `lo` up. Its /run, /tmp and /var/lib are
// folders of STATE, the test's own folder, so that every default path of COSO may be used, and what is there stays from one
// call to the next. It runs in a control group "coso-test.XXXXXX" (STATE's name) of every hierarchy that can be written, and
// with a cgroup namespace rooted there: /sys/fs/cgroup shows that group as the root, and whatever the command leaves running is
// found in it, by the test's teardown. On cgroup v2 the command itself sits in a leaf, "shell", since a group with processes
// can't hand controllers down. With COSO_TEST_CGROUPS=host it stays in the caller's groups, and sees all. Folders that the command still needs (COSO_TEST_PATHS, separated by colons) are put back
// where a private folder hides them.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HIERARCHIES_MAX = 32, PATHS_MAX = 16 };

struct hierarchy {
	char mount[128];
	char options[256];
	bool v2;
};

static void fail(const char *what)
{
	fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
	exit(125);
}

// A path, never freed: this process soon becomes another.
__attribute__((format(printf, 1, 2))) static char *join(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		fail("memory");
	va_end(args);
	return text;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) >= 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

// A new cpuset of v1 is empty and takes no process before it was told what to use.
static void copy_file(const char *from, const char *to)
{
	char text[4096];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return;
	text[size] = '\0';
	put(to, text);
}

static size_t find_hierarchies(struct hierarchy *list)
{
	FILE *file = fopen("/proc/self/mounts", "re");
	char line[4096], type[64];
	size_t count = 0;

	if (!file)
		fail("/proc/self/mounts");
	while (count < HIERARCHIES_MAX && fgets(line, sizeof(line), file)) {
		struct hierarchy *h = &list[count];

		if (sscanf(line, "%*s %127s %63s %255s", h->mount, type, h->options) != 3)
			continue;
		h->v2 = strcmp(type, "cgroup2") == 0;
		count += h->v2 || strcmp(type, "cgroup") == 0;
	}
	fclose(file);
	return count;
}

// Makes the test's group in one hierarchy and enters it. False: it can't be written, and is left as it is.
static bool enter_group(const struct hierarchy *h, const char *name, bool first)
{
	static const char *const controllers[] = { "+cpu", "+cpuset", "+io", "+memory", "+pids" };
	static const char *const cpuset[] = { "cpuset.cpus", "cpuset.mems" };
	const char *group = join("%s/%s", h->mount, name);

	for (size_t i = 0; h->v2 && i < sizeof(controllers) / sizeof(controllers[0]); i++)
		put(join("%s/cgroup.subtree_control", h->mount), controllers[i]);
	if (mkdir(group, 0755) < 0 && errno != EEXIST)
		return false;
	for (size_t i = 0; !h->v2 && i < 2; i++)
		copy_file(join("%s/%s", h->mount, cpuset[i]), join("%s/%s", group, cpuset[i]));
	return put(join("%s/%s", group, !h->v2 ? "tasks" : first ? "cgroup.procs" : "shell/cgroup.procs"), "0");
}

// Covers a hierarchy with the view from inside the cgroup namespace.
static void show_group(const struct hierarchy *h)
{
	char *options = NULL;

	// The kernel refuses the same file system twice on one mount point.
	if (umount2(h->mount, MNT_DETACH) < 0)
		fail(h->mount);
	if (h->v2) {
		if (mount("cgroup2", h->mount, "cgroup2", 0, NULL) < 0)
			fail(h->mount);
		const char *shell = join("%s/shell", h->mount);
		if ((mkdir(shell, 0755) < 0 && errno != EEXIST) || !put(join("%s/cgroup.procs", shell), "0"))
			fail(shell);
		return;
	}
	for (char *state = NULL, *word = strtok_r(strdupa(h->options), ",", &state); word; word = strtok_r(NULL, ",", &state)) {
		if (strcmp(word, "rw") == 0 || strcmp(word, "relatime") == 0 || strncmp(word, "no", 2) == 0 ||
		    strncmp(word, "release_agent", 13) == 0)
			continue;
		options = options ? join("%s,%s", options, word) : word;
	}
	if (mount("cgroup", h->mount, "cgroup", 0, options) < 0)
		fail(h->mount);
}

// A namespace lives as long as a process in it: this one waits, holding nothing else, until the test's teardown ends it.
static void leave_keeper(const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		close_range(0, ~0U, 0);
		setsid();
		prctl(PR_SET_NAME, "sandbox-keeper");
		for (;;)
			pause();
	}
	FILE *file = fopen(path, "we");
	if (!file || fprintf(file, "%d\n", pid) < 0 || fclose(file) != 0)
		fail(path);
}

// Returns the cgroup namespace that an earlier call for this test made, or -1.
static int find_keeper(const char *path)
{
	int pid = 0, fd = -1;
	FILE *file = fopen(path, "re");

	if (!file)
		return -1;
	if (fscanf(file, "%d", &pid) == 1)
		fd = open(join("/proc/%d/ns/cgroup", pid), O_RDONLY | O_CLOEXEC);
	fclose(file);
	return fd;
}

static void enter_cgroups(const char *state)
{
	struct hierarchy list[HIERARCHIES_MAX];
	bool entered[HIERARCHIES_MAX];
	size_t count = find_hierarchies(list);
	const char *path = join("%s/.keeper", state);
	int keeper = find_keeper(path);
	for (size_t i = 0; i < count; i++)
		entered[i] = enter_group(&list[i], strrchr(state, '/') + 1, keeper < 0);
	if (keeper < 0 ? unshare(CLONE_NEWCGROUP) : setns(keeper, CLONE_NEWCGROUP))
		fail("enter the cgroup namespace");
	for (size_t i = 0; i < count; i++) {
		if (entered[i])
			show_group(&list[i]);
	}
	if (keeper < 0)
		leave_keeper(path);
	else
		close(keeper);
}

static void make_folders(const char *path)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/'))
		mkdir(join("%.*s", (int)(slash - path), path), 0755);
	mkdir(path, 0755);
}

static const struct folder {
	const char *name, *target;
	mode_t mode;
} folders[] = { { "run", "/run", 0755 }, { "tmp", "/tmp", 01777 }, { "lib", "/var/lib", 0755 } };

enum { FOLDERS = sizeof(folders) / sizeof(folders[0]) };

static bool is_hidden(const char *path)
{
	for (size_t i = 0; i < FOLDERS; i++) {
		size_t length = strlen(folders[i].target);
		if (strncmp(path, folders[i].target, length) == 0 && path[length] == '/')
			return true;
	}
	return false;
}

// The private folders are opened first: once /tmp is covered, STATE may be out of sight.
static void mount_folders(const char *state)
{
	int fds[FOLDERS];

	for (size_t i = 0; i < FOLDERS; i++) {
		const char *path = join("%s/%s", state, folders[i].name);
		if ((mkdir(path, folders[i].mode) < 0 && errno != EEXIST) || chmod(path, folders[i].mode) < 0)
			fail(path);
		fds[i] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	for (size_t i = 0; i < FOLDERS; i++) {
		if (mount(join("/proc/self/fd/%d", fds[i]), folders[i].target, NULL, MS_BIND, NULL) < 0)
			fail(folders[i].target);
		close(fds[i]);
	}
}

static void replace_folders(const char *state)
{
	char *paths[PATHS_MAX];
	int fds[PATHS_MAX], count = 0;
	const char *wanted = getenv("COSO_TEST_PATHS");

	char *list = join("%s:%s", state, wanted ? wanted : "");
	for (char *rest = NULL, *word = strtok_r(list, ":", &rest); word && count < PATHS_MAX; word = strtok_r(NULL, ":", &rest)) {
		fds[count] = is_hidden(word) ? open(word, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
		paths[count] = word;
		count += fds[count] >= 0;
	}
	mount_folders(state);
	for (int i = 0; i < count; i++) {
		make_folders(paths[i]);
		if (mount(join("/proc/self/fd/%d", fds[i]), paths[i], NULL, MS_BIND, NULL) < 0)
			fail(paths[i]);
		close(fds[i]);
	}
}

// sysfs shows the links of the network namespace that it was mounted in.
static void refresh_sysfs(void)
{
	int fd = open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (mount("sysfs", "/sys", "sysfs", 0, NULL) < 0)
		fail("mount sysfs");
	if (fd >= 0 && mount(join("/proc/self/fd/%d", fd), "/sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL) < 0)
		fail("/sys/fs/cgroup");
	if (fd >= 0)
		close(fd);
}

// An ordinary user gets the same, as root of a user namespace of their own.
static void become_root(void)
{
	unsigned int uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER) < 0)
		fail("unshare the user namespace (an ordinary user's tests need it)");
	put("/proc/self/setgroups", "deny");
	if (!put("/proc/self/uid_map", join("0 %u 1", uid)))
		fail("uid_map");
	if (!put("/proc/self/gid_map", join("0 %u 1", gid)))
		fail("gid_map");
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		fail("lo");
	close(fd);
}

int main(int argc, char *argv[])
{
	if (argc < 3 || argv[1][0] != '/') {
		fprintf(stderr, "usage: sandbox STATE COMMAND [ARG...]\n");
		return 125;
	}
	if (geteuid() != 0)
		become_root();
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		fail("unshare the mount and network namespaces");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fail("make mounts private");
	const char *groups = getenv("COSO_TEST_CGROUPS");
	if (!groups || strcmp(groups, "host") != 0)
		enter_cgroups(argv[1]);
	replace_folders(argv[1]);
	refresh_sysfs();
	raise_loopback();
	execvp(argv[2], argv + 2);
	fprintf(stderr, "sandbox: %s: %s\n", argv[2], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
