// SPDX-License-Identifier: GPL-2.0-or-later
// floor.c - the least work that starts a container: what no launcher can go below on this kernel
//
//   cc -O2 -static -o floor floor.c && floor ROOTFS COMMAND [ARG...]
//
// clone3 with pid, mount, network, IPC, UTS and cgroup namespaces; the OCI default mounts and devices; pivot_root; exec.
// No configuration, no checks, no seccomp, capabilities or cgroup. Exit status: the command's; 111 where a step failed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(long result, const char *step)
{
	if (result < 0) {
		perror(step);
		_exit(111);
	}
}

static void mount_in(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	check(mount(source, target, type, flags, data), target);
}

static void inside(const char *rootfs, char *const argv[])
{
	static const struct {
		const char *name;
		unsigned int major, minor;
	} devices[] = {
		{ "dev/null", 1, 3 },   { "dev/zero", 1, 5 },    { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 },
	};
	const unsigned long quiet = MS_NOSUID | MS_NOEXEC | MS_NODEV;

	mount_in(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mount_in(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
	check(chdir(rootfs), rootfs);
	mount_in("proc", "proc", "proc", quiet, NULL);
	mount_in("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	check(mkdir("dev/pts", 0755), "dev/pts");
	check(mkdir("dev/shm", 0755), "dev/shm");
	check(mkdir("dev/mqueue", 0755), "dev/mqueue");
	mount_in("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_in("shm", "dev/shm", "tmpfs", quiet, "mode=1777,size=65536k");
	mount_in("mqueue", "dev/mqueue", "mqueue", quiet, NULL);
	mount_in("sysfs", "sys", "sysfs", quiet | MS_RDONLY, NULL);
	umask(0);
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		check(mknod(devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)), devices[i].name);
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir");
	check(sethostname("floor", 5), "sethostname");
	execv(argv[0], argv);
	check(-1, argv[0]);
}

int main(int argc, char *argv[])
{
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP,
		.exit_signal = SIGCHLD,
	};
	int status = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: floor ROOTFS COMMAND [ARG...]\n");
		return 2;
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	check(pid, "clone3");
	if (pid == 0)
		inside(argv[1], &argv[2]);
	check(waitpid((pid_t)pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
