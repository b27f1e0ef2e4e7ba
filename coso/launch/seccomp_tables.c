// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_tables.c - which system calls the default and the barco profile let through, by subject and by condition
//
// What the default profile leaves out, and so refuses with EPERM: keys (keyctl, add_key, request_key), io_uring, userfaultfd, swap,
// kexec, NUMA placement, old and unused calls; user namespaces and mounts without CAP_SYS_ADMIN; AF_ALG and AF_VSOCK sockets. A
// 32-bit program can still make these sockets by socketcall(2), whose arguments lie in memory that a filter can't read: as with Docker.

#include "coso/launch/seccomp_tables.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BIT(number) (UINT64_C(1) << (number))
#define ALLOW SCMP_ACT_ALLOW
#define REFUSE SCMP_ACT_ERRNO(EPERM)
#define NOT_THERE SCMP_ACT_ERRNO(ENOSYS) // makes C libraries fall back to the older call

enum { CAPABILITY_PERFMON = 38, CAPABILITY_BPF = 39 };

// clone(2)'s flags for new namespaces; CLONE_NEWTIME can't be among them, it is part of the signal number there.
enum { NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET };

struct group {
	const char *names; // separated by one space
	uint32_t action;
	uint64_t need;                      // capabilities of which each must be in the bounding set
	uint64_t unless;                    // … of which none may be there
	uint32_t only;                      // machine; 0: all
	struct seccomp_condition condition; // op 0: none
};

#define WHEN(argument, operator, ...) .condition = { .index = (argument), .op = (operator), __VA_ARGS__ }
#define MASK(bits, left) .value = (bits), .value_two = (left)

static const char files[] =
	"access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 "
	"fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat "
	"fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown "
	"lchown32 link linkat listmount _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open "
	"openat openat2 readahead readlink readlinkat rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64 "
	"statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink "
	"unlinkat utime utimensat utimensat_time64 utimes vmsplice";

static const char attributes[] =
	"fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr lremovexattr "
	"lsetxattr removexattr removexattrat setxattr setxattrat";

static const char transfer[] =
	"pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv write writev pipe pipe2 io_cancel io_destroy io_getevents "
	"io_pgetevents io_pgetevents_time64 io_setup io_submit";

static const char waiting[] =
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 "
	"fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect pause poll ppoll ppoll_time64 "
	"pselect6 pselect6_time64 select";

static const char sockets[] =
	"accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg send "
	"sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair";

static const char memory[] =
	"brk madvise map_shadow_stack memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect mremap mseal "
	"msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages cachestat";

static const char processes[] =
	"capget capset execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage "
	"getsid gettid kill landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl "
	"prlimit64 restart_syscall riscv_hwprobe rseq seccomp setpgid setpriority setrlimit setsid tgkill times tkill ugetrlimit "
	"uname uretprobe vfork wait4 waitid waitpid sysinfo ioprio_get ioprio_set process_vm_readv process_vm_writev ptrace";

static const char threads[] =
	"futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list get_thread_area membarrier "
	"set_robust_list set_thread_area set_tid_address";

static const char scheduling[] =
	"sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler "
	"sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler "
	"sched_yield";

static const char signals[] =
	"rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	"rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn";

static const char users[] =
	"getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid getresuid32 "
	"getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid setregid32 "
	"setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32";

static const char clocks[] =
	"adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 "
	"clock_nanosleep clock_nanosleep_time64 getitimer getrandom gettimeofday nanosleep setitimer time timer_create "
	"timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime "
	"timerfd_gettime64 timerfd_settime timerfd_settime64";

static const char messages[] =
	"ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink "
	"msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget";

static const char administration[] =
	"bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules "
	"lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname "
	"setns syslog umount umount2 unshare";

static const struct group docker[] = {
	{ .names = files, .action = ALLOW },
	{ .names = attributes, .action = ALLOW },
	{ .names = transfer, .action = ALLOW },
	{ .names = waiting, .action = ALLOW },
	{ .names = sockets, .action = ALLOW },
	{ .names = memory, .action = ALLOW },
	{ .names = processes, .action = ALLOW },
	{ .names = threads, .action = ALLOW },
	{ .names = scheduling, .action = ALLOW },
	{ .names = signals, .action = ALLOW },
	{ .names = users, .action = ALLOW },
	{ .names = clocks, .action = ALLOW },
	{ .names = messages, .action = ALLOW },
	// Every family but AF_ALG (the kernel's ciphers: a large attack surface) and AF_VSOCK (reaches the hypervisor's host).
	{ .names = "socket", .action = ALLOW, WHEN(0, SCMP_CMP_LT, AF_ALG) },
	{ .names = "socket", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, AF_NFC) },
	{ .names = "socket", .action = ALLOW, WHEN(0, SCMP_CMP_GT, AF_VSOCK) },
	// Linux, Linux in 32 bits, both with UNAME26, and the query.
	{ .names = "personality", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, 0x0) },
	{ .names = "personality", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, 0x8) },
	{ .names = "personality", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, 0x20000) },
	{ .names = "personality", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, 0x20008) },
	{ .names = "personality", .action = ALLOW, WHEN(0, SCMP_CMP_EQ, 0xffffffff) },
	{ .names = "arch_prctl modify_ldt", .action = ALLOW, .only = SCMP_ARCH_X86_64 },
	{ .names = "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
	  .action = ALLOW,
	  .only = SCMP_ARCH_AARCH64 },
	{ .names = administration, .action = ALLOW, .need = BIT(CAP_SYS_ADMIN) },
	{ .names = "clone", .action = ALLOW, .unless = BIT(CAP_SYS_ADMIN), WHEN(0, SCMP_CMP_MASKED_EQ, MASK(NEW_NAMESPACES, 0)) },
	{ .names = "clone3", .action = NOT_THERE, .unless = BIT(CAP_SYS_ADMIN) }, // its flags lie in memory
	{ .names = "open_by_handle_at", .action = ALLOW, .need = BIT(CAP_DAC_READ_SEARCH) },
	{ .names = "reboot", .action = ALLOW, .need = BIT(CAP_SYS_BOOT) },
	{ .names = "chroot", .action = ALLOW, .need = BIT(CAP_SYS_CHROOT) },
	{ .names = "delete_module init_module finit_module", .action = ALLOW, .need = BIT(CAP_SYS_MODULE) },
	{ .names = "acct", .action = ALLOW, .need = BIT(CAP_SYS_PACCT) },
	{ .names = "kcmp pidfd_getfd process_madvise", .action = ALLOW, .need = BIT(CAP_SYS_PTRACE) },
	{ .names = "iopl ioperm", .action = ALLOW, .need = BIT(CAP_SYS_RAWIO) },
	{ .names = "settimeofday stime clock_settime clock_settime64", .action = ALLOW, .need = BIT(CAP_SYS_TIME) },
	{ .names = "vhangup", .action = ALLOW, .need = BIT(CAP_SYS_TTY_CONFIG) },
	{ .names = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node", .action = ALLOW, .need = BIT(CAP_SYS_NICE) },
	{ .names = "syslog", .action = ALLOW, .need = BIT(CAP_SYSLOG) },
	{ .names = "bpf", .action = ALLOW, .need = BIT(CAPABILITY_BPF) },
	{ .names = "perf_event_open", .action = ALLOW, .need = BIT(CAPABILITY_PERFMON) },
};

static const struct group barco[] = {
	// A setuid or setgid file would give its user root's rights, where there is no user namespace.
	{ .names = "chmod fchmod", .action = REFUSE, WHEN(1, SCMP_CMP_MASKED_EQ, MASK(S_ISUID, S_ISUID)) },
	{ .names = "chmod fchmod", .action = REFUSE, WHEN(1, SCMP_CMP_MASKED_EQ, MASK(S_ISGID, S_ISGID)) },
	{ .names = "fchmodat", .action = REFUSE, WHEN(2, SCMP_CMP_MASKED_EQ, MASK(S_ISUID, S_ISUID)) },
	{ .names = "fchmodat", .action = REFUSE, WHEN(2, SCMP_CMP_MASKED_EQ, MASK(S_ISGID, S_ISGID)) },
	{ .names = "unshare clone", .action = REFUSE, WHEN(0, SCMP_CMP_MASKED_EQ, MASK(CLONE_NEWUSER, CLONE_NEWUSER)) },
	// The kernel looks at 32 bits of the request, so only these are compared.
	{ .names = "ioctl", .action = REFUSE, WHEN(1, SCMP_CMP_MASKED_EQ, MASK(0xffffffff, TIOCSTI)) },
	{ .names = "keyctl add_key request_key", .action = REFUSE },
	{ .names = "ptrace", .action = REFUSE },
	{ .names = "mbind migrate_pages move_pages set_mempolicy", .action = REFUSE },
	{ .names = "userfaultfd perf_event_open", .action = REFUSE },
	// Not on barco's list, but each would be a way round it.
	{ .names = "clone3 fchmodat2", .action = NOT_THERE },
};

static void groups_add(struct seccomp_profile *profile, const struct group *groups, size_t count, uint64_t caps)
{
	for (size_t i = 0; i < count; i++) {
		const struct group *group = &groups[i];

		if ((group->need & ~caps) || (group->unless & caps) || (group->only && group->only != profile->archs[0]))
			continue;
		struct seccomp_rule *rule = seccomp_profile_add_rule(profile, group->action, group->names);

		rule->names = str_split(profile->arena, group->names, ' ');
		if (group->condition.op)
			rule->conditions[rule->condition_count++] = group->condition;
	}
}

uint64_t seccomp_tables_asked(void)
{
	uint64_t asked = 0;

	for (size_t i = 0; i < sizeof docker / sizeof *docker; i++)
		asked |= docker[i].need | docker[i].unless;
	return asked;
}

void seccomp_tables_default(struct seccomp_profile *out_profile, struct arena *arena, uint32_t arch, uint64_t caps)
{
	seccomp_profile_init(out_profile, arena, arch, true);
	out_profile->default_action = REFUSE;
	groups_add(out_profile, docker, sizeof docker / sizeof *docker, caps);
}

void seccomp_tables_barco(struct seccomp_profile *out_profile, struct arena *arena, uint32_t arch)
{
	seccomp_profile_init(out_profile, arena, arch, true);
	out_profile->default_action = ALLOW;
	groups_add(out_profile, barco, sizeof barco / sizeof *barco, 0);
}
