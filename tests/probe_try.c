// SPDX-License-Identifier: GPL-2.0-or-later
// probe_try.c - attempts the system calls that a container must not have
//
// Each is called so that success would do no harm: on nothing, on the caller itself, or in a child that ends at once. Where a call
// that is allowed fails nevertheless, for want of an object, the comment says how: EPERM and ENOSYS mean refused.
#include "tests/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// clang-format off
static long try_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long try_unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long try_unshare_net(void) { return unshare(CLONE_NEWNET); }
static long try_setns(void) { return setns(open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), 0); }
static long try_mount(void) { return mount("none", "/", "nothing", 0, NULL); } // allowed: ENODEV
static long try_remount(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long try_umount(void) { return umount2("/proc/self/task", MNT_DETACH); } // allowed: EINVAL
static long try_pivot_root(void) { return syscall(SYS_pivot_root, ".", "."); }
static long try_chroot(void) { return chroot("/"); }
static long try_fsopen(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long try_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */); }
static long try_mount_setattr(void) { return syscall(SYS_mount_setattr, -1, "", 0, NULL, 0); }
static long try_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL); }
static long try_kexec_load(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_init_module(void) { return syscall(SYS_init_module, NULL, 0, ""); }
static long try_finit_module(void) { return syscall(SYS_finit_module, -1, "", 0); }
static long try_delete_module(void) { return syscall(SYS_delete_module, "", 0); }
static long try_reboot(void) { return syscall(SYS_reboot, 0, 0, RB_DISABLE_CAD, NULL); } // without its magic numbers: EINVAL
static long try_swapon(void) { return syscall(SYS_swapon, "", 0); }
static long try_acct(void) { return syscall(SYS_acct, "/nothing-here"); }
static long try_quotactl(void) { return syscall(SYS_quotactl, -1, NULL, 0, NULL); }
static long try_syslog(void) { return syscall(SYS_syslog, 2, NULL, 0); }
static long try_clock_settime(void) { return clock_settime(CLOCK_REALTIME, &(struct timespec){ .tv_nsec = -1 }); }
static long try_settimeofday(void) { return settimeofday(&(struct timeval){ .tv_usec = -1 }, NULL); }
static long try_sethostname(void) { return syscall(SYS_sethostname, NULL, 1); }
static long try_add_key(void) { return syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_PROCESS_KEYRING); }
static long try_request_key(void) { return syscall(SYS_request_key, "user", "probe", NULL, KEY_SPEC_PROCESS_KEYRING); }
static long try_keyctl(void) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0); }
static long try_bpf(void) { return syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, NULL, 0); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, O_CLOEXEC); }
static long try_io_uring_setup(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long try_open_by_handle(void) { return syscall(SYS_open_by_handle_at, AT_FDCWD, NULL, O_RDONLY); }
static long try_personality(void) { return personality(ADDR_NO_RANDOMIZE); }
static long try_process_vm_readv(void) { return process_vm_readv(getpid(), NULL, 0, NULL, 0, 0); }
static long try_mknod(void) { return mknod("/tmp/.probe-device", S_IFCHR | 0600, makedev(1, 1)); }
static long try_socket_raw(void) { return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1); }
static long try_socket_ping(void) { return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 1); }
static long try_socket_packet(void) { return socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); }
static long try_socket_vsock(void) { return socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0); }
static long try_iopl(void) { return syscall(SYS_iopl, 3); }
static long try_ioperm(void) { return syscall(SYS_ioperm, 0x80, 1, 1); }
static long try_setuid(void) { return setuid(0); }
static long try_tiocsti(void) { return ioctl(0, TIOCSTI, ""); }
static long try_write_core_pattern(void) { return open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC); }
static long try_sysrq(void) { return open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC); }
static long try_nice(void) { return syscall(SYS_setpriority, 0, 0, -1); }
// clang-format on

static long try_perf_event_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK };

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long try_clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long try_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid;
}

static long try_read_kcore(void)
{
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd < 0 ? -1 : read(fd, &byte, 1); // masked by /dev/null: open, and at its end
}

// The host's binary behind the entry point, for writing: what CVE-2019-5736 did.
static long try_write_parent_exe(void)
{
	return open("/proc/1/exe", O_WRONLY | O_CLOEXEC);
}

#define TRY(name)                                                                                                                  \
	{                                                                                                                          \
#name, try_##name                                                                                                  \
	}
static const struct {
	const char *name;
	long (*call)(void);
} tries[] = {
	TRY(unshare_user),
	TRY(unshare_mount),
	TRY(unshare_net),
	TRY(setns),
	TRY(mount),
	TRY(remount),
	TRY(umount),
	TRY(pivot_root),
	TRY(chroot),
	TRY(fsopen),
	TRY(open_tree),
	TRY(mount_setattr),
	TRY(ptrace),
	TRY(kexec_load),
	TRY(init_module),
	TRY(finit_module),
	TRY(delete_module),
	TRY(reboot),
	TRY(swapon),
	TRY(acct),
	TRY(quotactl),
	TRY(syslog),
	TRY(clock_settime),
	TRY(settimeofday),
	TRY(sethostname),
	TRY(add_key),
	TRY(request_key),
	TRY(keyctl),
	TRY(bpf),
	TRY(perf_event_open),
	TRY(userfaultfd),
	TRY(io_uring_setup),
	TRY(open_by_handle),
	TRY(personality),
	TRY(process_vm_readv),
	TRY(mknod),
	TRY(socket_raw),
	TRY(socket_ping),
	TRY(socket_packet),
	TRY(socket_vsock),
	TRY(iopl),
	TRY(ioperm),
	TRY(setuid),
	TRY(tiocsti),
	TRY(write_core_pattern),
	TRY(sysrq),
	TRY(read_kcore),
	TRY(nice),
	TRY(clone_user),
	TRY(clone3),
	TRY(write_parent_exe),
};

// In a child, so that what succeeds is gone with it; a filter that kills shows as the signal.
static void run(size_t i)
{
	int status = 0;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		errno = 0;
		long result = tries[i].call();
		printf("%s=%s\n", tries[i].name, result >= 0 ? "ok" : strerrorname_np(errno));
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		printf("%s=unknown\n", tries[i].name);
	else if (WIFSIGNALED(status))
		printf("%s=SIG%s\n", tries[i].name, sigabbrev_np(WTERMSIG(status)));
}

bool probe_try(const char *name)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		if (strcmp(name, tries[i].name) == 0 || strcmp(name, "all") == 0) {
			run(i);
			found = true;
		}
	}
	return found;
}
