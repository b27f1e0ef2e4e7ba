// SPDX-License-Identifier: GPL-2.0-or-later
// jail.c - what the process that reads a hostile archive may see and do
//
// Each step is a defence in depth behind extract.c's own rules (openat2), so a step that this caller has no right to is left
// out: an ordinary user without user namespaces can unpack too. What is permitted must work.
#include "cosofs/jail.h"

#include "shared/fd.h"
#include "shared/log.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 }; // the sanitizer reserves terabytes, and looks at /proc when it ends
#else
enum { SANITIZED = 0 };
#endif

// The largest that any decompressor asks for is 1 GiB (libarchive's limit for xz).
static const rlim_t MEMORY = (rlim_t)3 << 29;

static int close_others(const struct jail *jail, struct err *err)
{
	unsigned int last = 2;
	for (;;) {
		unsigned int next = ~0U;
		const int all[] = { jail->folder, jail->keep[0], jail->keep[1], jail->keep[2] };
		for (int i = 0; i < 4; i++) {
			if (all[i] > (int)last && (unsigned int)all[i] < next)
				next = (unsigned int)all[i];
		}
		if (next > last + 1 && sys_close_range(last + 1, next == ~0U ? ~0U : next - 1, 0) < 0 && errno != ENOSYS)
			return err_sys(err, "close descriptors");
		if (next == ~0U)
			return 0;
		last = next;
	}
}

// Makes the working folder the root of a mount namespace that holds nothing else. Returns false where that isn't permitted.
static bool enter_mounts(void)
{
	// The working folder moves along into the new namespace; a descriptor would still be one of the old one's, which can't be cloned.
	if (unshare(CLONE_NEWNS) < 0 || sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	own_fd int tree = sys_open_tree(AT_FDCWD, ".", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	return tree >= 0 && sys_move_mount(tree, "", AT_FDCWD, ".", MOVE_MOUNT_F_EMPTY_PATH) == 0 && fchdir(tree) == 0 &&
	       sys_pivot_root(".", ".") == 0 && sys_umount(".", MNT_DETACH) == 0 && chdir("/") == 0;
}

static int enter_folder(int folder, struct err *err)
{
	if (fchdir(folder) < 0)
		return err_sys(err, "enter the folder");
	if (enter_mounts()) {
		log_verbose("unpacking in a mount namespace that holds nothing else");
		return 0;
	}
	log_verbose("no mount namespace for unpacking: %m");
	if (chroot(".") < 0)
		log_verbose("no chroot for unpacking: %m");
	return 0;
}

static uint32_t bit(int capability)
{
	return 1U << (capability & 31);
}

static int drop_capabilities(bool layer, struct err *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &head, data) < 0)
		return err_sys(err, "read capabilities");
	const uint32_t low = bit(CAP_CHOWN) | bit(CAP_DAC_OVERRIDE) | bit(CAP_FOWNER) | bit(CAP_FSETID) | bit(CAP_MKNOD) |
			     bit(CAP_SETFCAP) | (layer ? bit(CAP_SYS_ADMIN) : 0);
	data[0].effective &= low;
	data[0].permitted &= low;
	data[1].effective = data[1].permitted = 0;
	data[0].inheritable = data[1].inheritable = 0;
	return syscall(SYS_capset, &head, data) == 0 ? 0 : err_sys(err, "drop capabilities");
}

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(openat),
	SCMP_SYS(openat2),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(getdents64),
	SCMP_SYS(mkdirat),
	SCMP_SYS(mknodat),
	SCMP_SYS(linkat),
	SCMP_SYS(symlinkat),
	SCMP_SYS(unlinkat),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(fchownat),
	SCMP_SYS(fchown),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchmodat),
	SCMP_SYS(fsetxattr),
	SCMP_SYS(utimensat),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(umask),
	SCMP_SYS(geteuid),
	SCMP_SYS(getegid),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(clone3),
	SCMP_SYS(clone),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(prlimit64),
	SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

// Anything else fails as if the kernel didn't know it, and so a C library that tries something newer first goes on.
static int filter_calls(struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int code = filter ? 0 : -ENOMEM;
	for (size_t i = 0; code == 0 && i < sizeof(allowed) / sizeof(*allowed); i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (code == 0)
		code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (code == 0)
		code = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (code == -EINVAL || code == -ENOSYS) { // a kernel without seccomp
		log_verbose("no system call filter for unpacking");
		return 0;
	}
	errno = -code;
	return code ? err_sys(err, "filter system calls") : 0;
}

int jail_enter(const struct jail *jail, int *out_root, struct err *err)
{
	if (close_others(jail, err) < 0 || enter_folder(jail->folder, err) < 0)
		return -1;
	own_fd int root = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(err, "open the folder");
	struct rlimit memory = { .rlim_cur = MEMORY, .rlim_max = MEMORY }, core = { 0 };
	setrlimit(RLIMIT_CORE, &core);
	if (!SANITIZED)
		setrlimit(RLIMIT_DATA, &memory);
	if (drop_capabilities(jail->layer, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "give up new privileges");
	if (!SANITIZED && filter_calls(err) < 0)
		return -1;
	*out_root = take_fd(&root);
	return 0;
}
