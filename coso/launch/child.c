// SPDX-License-Identifier: GPL-2.0-or-later
// child.c - the story of a launch as seen from inside: from clone3 to exec
//
// This process only makes system calls: what needs memory or parsing was done before clone3. It is a copy of the launcher, so all
// that it inherits is CLOEXEC or closed here. It starts with every capability in its new user namespace, and as nobody until gate 1.
#include "coso/launch/caps.h"
#include "coso/launch/devices.h"
#include "coso/launch/etcfiles.h"
#include "coso/launch/exec.h"
#include "coso/launch/idmap.h"
#include "coso/launch/init.h"
#include "coso/launch/launch.h"
#include "coso/launch/masks.h"
#include "coso/launch/report.h"
#include "coso/launch/stage.h"
#include "coso/launch/trace.h"
#include "coso/launch/tty.h"
#include "coso/spec/capset.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool has(const struct launch *launch, unsigned long flag)
{
	return launch->spec->namespaces & flag;
}

static bool wait_gate(struct launch *launch, void *message, size_t size, enum gate_kind kind, struct err *err)
{
	ssize_t n = fd_recv(launch->gate[1], message, size, NULL, NULL, err);
	if (n >= (ssize_t)sizeof(kind) && memcmp(message, &kind, sizeof(kind)) == 0)
		return true;
	if (n >= 0)
		err_set(err, EPIPE, "the launcher is gone");
	return false;
}

// A session keyring of its own: the caller's keys aren't the container's. keyrings(7)
static int leave_keyring(struct err *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS || errno == EPERM)
		return 0;
	err_sys(err, "make a session keyring");
	return err->code == EDQUOT ? err_hint(err, "raise kernel.keys.maxkeys") : -1;
}

// Should: have the ids of the container's root. The signal mask and dispositions are made those of a fresh process.
static int run_begin(struct launch *launch, struct err *err)
{
	enum gate_kind kind;
	if (!wait_gate(launch, &kind, sizeof(kind), GATE_MAPPED, err))
		return -1;
	if (setsid() < 0 && errno != EPERM)
		return err_sys(err, "start a session");
	proc_default_signals();
	umask(0);
	if (launch_has_userns(launch) && (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0))
		return err_sys(err, "become the container's root");
	return leave_keyring(err);
}

static bool wants_cgroup(const struct launch *launch)
{
	return launch->spec->cgroup || has(launch, CLONE_NEWCGROUP);
}

// Should: join first; a cgroup namespace is rooted where its maker is.
static int run_cgroup(struct launch *launch, struct err *err)
{
	bool into = launch->cgroup.v2 >= 0;
	if (launch->cgroup.path && cgroup_join(&launch->cgroup, into, err) < 0)
		return -1;
	if (has(launch, CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, "unshare the cgroup namespace");
	return 0;
}

static void describe_mounts(const struct launch *launch, FILE *out)
{
	for (size_t i = 0; i < launch->spec->mount_count; i++) {
		const struct spec_mount *m = &launch->spec->mounts[i];
		fprintf(out, "             %s%s%s on %s%s\n", m->type, m->source ? " " : "", m->source ? m->source : "",
			m->destination, m->attr_set & MOUNT_ATTR_RDONLY ? " (read-only)" : "");
	}
}

static bool wants_lo(const struct launch *launch)
{
	return has(launch, CLONE_NEWNET);
}

static int run_lo(struct launch *launch, struct err *err)
{
	(void)launch;
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	own_fd int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, "bring up lo");
	return 0;
}

static int run_go(struct launch *launch, struct err *err)
{
	static struct gate_message message;
	if (!wait_gate(launch, &message, sizeof(message) - 1, GATE_GO, err))
		return -1;
	return etcfiles_fill(launch, message.text, message.text + strlen(message.text) + 1, err);
}

static int set_sysctl(int root, const char *assignment, struct err *err)
{
	char path[256] = "/proc/sys/";
	size_t at = strlen(path);
	const char *c = assignment;
	for (; *c && *c != '=' && at < sizeof(path) - 1; c++)
		path[at++] = *c == '.' ? '/' : *c;
	path[at] = '\0';
	own_fd int fd = path_open_in(root, path, O_WRONLY, 0, err);
	if (fd < 0)
		return err_wrap(err, "--sysctl %s", assignment);
	if (*c != '=' || write(fd, c + 1, strlen(c + 1)) < 0)
		return err_sys(err, "--sysctl %s", assignment);
	return 0;
}

static bool wants_names(const struct launch *launch)
{
	return launch->spec->sysctl.count || (has(launch, CLONE_NEWUTS) && launch->spec->hostname);
}

static void describe_names(const struct launch *launch, FILE *out)
{
	if (has(launch, CLONE_NEWUTS) && launch->spec->hostname)
		fprintf(out, "             host name %s\n", launch->spec->hostname);
	for (size_t i = 0; i < launch->spec->sysctl.count; i++)
		fprintf(out, "             sysctl %s\n", launch->spec->sysctl.items[i]);
}

static int run_names(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	if (has(launch, CLONE_NEWUTS) && spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_sys(err, "set host name '%s'", spec->hostname);
	if (has(launch, CLONE_NEWUTS) && spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return err_sys(err, "set domain name '%s'", spec->domainname);
	for (size_t i = 0; i < spec->sysctl.count; i++) {
		if (set_sysctl(launch->rootfs.root, spec->sysctl.items[i], err) < 0)
			return -1;
	}
	return 0;
}

static int run_masks(struct launch *launch, struct err *err)
{
	if (masks_apply(launch, err) < 0)
		return -1;
	return launch->spec->root.readonly ? rootfs_protect(launch, err) : 0;
}

static int run_lookup(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	struct user *u = &launch->user;
	u->uid = p->uid;
	u->gid = p->gid;
	for (size_t i = 0; i < p->group_count && i < USER_GROUPS_MAX; i++)
		u->groups[u->group_count++] = p->groups[i];
	if (p->user && user_lookup(launch_has_mountns(launch) ? launch->rootfs.root : AT_FDCWD, p->user, u, err) < 0)
		return -1;
	if (!u->home[0])
		snprintf(u->home, sizeof(u->home), "%s", u->uid == 0 ? "/root" : "/");
	return 0;
}

static bool wants_tty(const struct launch *launch)
{
	return launch->spec->process.terminal;
}

// The reserved last entry of the environment, "HOME=", is ours to fill.
static int set_home(struct launch *launch, struct err *err)
{
	char *home = launch->spec->home_slot;
	if (home && snprintf(home, SPEC_HOME_SLOT, "HOME=%s", launch->user.home) >= SPEC_HOME_SLOT)
		return err_set(err, ENAMETOOLONG, "the home folder's name is too long");
	return 0;
}

// Should: be inside the root afterwards: getcwd(2) answers "(unreachable)…" for a folder that isn't (CVE-2024-21626).
static int enter_folder(struct launch *launch, struct err *err)
{
	const char *given = launch->spec->process.cwd, *cwd = given ? given : "/";
	char where[4096];
	if (!launch_has_mountns(launch))
		return given && chdir(given) < 0 ? err_sys(err, "--workdir '%s'", given) : 0;
	own_fd int fd = path_mkdirs_in(launch->rootfs.root, cwd, err);
	if (fd < 0)
		return err_wrap(err, "--workdir '%s'", cwd);
	if (fchdir(fd) < 0)
		return err_sys(err, "--workdir '%s'", cwd);
	long n = syscall(SYS_getcwd, where, sizeof(where));
	if (n <= 0 || where[0] != '/')
		return err_set(err, EACCES, "--workdir '%s': it isn't inside the container", cwd);
	return 0;
}

static int open_stdin(struct launch *launch, struct err *err)
{
	if (launch->spec->process.interactive || launch->tty >= 0)
		return 0;
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return err_sys(err, "open /dev/null as stdin");
	return 0;
}

static int set_limits(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	for (size_t i = 0; i < p->rlimit_count; i++) {
		struct rlimit limit = { .rlim_cur = p->rlimits[i].soft, .rlim_max = p->rlimits[i].hard };
		if (setrlimit((__rlimit_resource_t)p->rlimits[i].resource, &limit) < 0) {
			err_sys(err, "--ulimit: set limit %d to %llu:%llu", p->rlimits[i].resource,
				(unsigned long long)p->rlimits[i].soft, (unsigned long long)p->rlimits[i].hard);
			return err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
		}
	}
	return 0;
}

static int run_process(struct launch *launch, struct err *err)
{
	if (set_home(launch, err) < 0 || open_stdin(launch, err) < 0 || enter_folder(launch, err) < 0)
		return -1;
	umask(022);
	// Whatever was inherited or opened on the way here ends at exec.
	if (fd_cloexec_from(3) < 0)
		return err_sys(err, "mark descriptors close-on-exec");
	if (launch->spec->process.init)
		init_prepare(launch);
	return set_limits(launch, err); // last: with few descriptors allowed none of the above would work
}

static int set_ids(struct launch *launch, struct err *err)
{
	const struct user *u = &launch->user;
	bool denied = launch->caller.no_groups ||
		      (launch_has_userns(launch) && idmap_denies_groups(&launch->caller, &launch->spec->gid_maps));
	if (!denied && syscall(SYS_setgroups, u->group_count, u->groups) < 0 &&
	    (launch->caller.privileged || launch_has_userns(launch)))
		return err_sys(err, "set supplementary groups");
	if (syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0 || syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0) {
		err_sys(err, "become user %u:%u", u->uid, u->gid);
		return errno == EINVAL ? err_hint(err, "the id isn't in the user namespace's map") : -1;
	}
	return 0;
}

static int die_with_parent(struct launch *launch, struct err *err)
{
	if (launch->spec->detach) // it outlives its monitor
		return prctl(PR_SET_PDEATHSIG, 0) < 0 ? err_sys(err, "PR_SET_PDEATHSIG") : 0;
	// After the last change of credentials, which clears it. If the launcher died before, its end of the socket is closed. The exec
	// of a set-id program, or of one with file capabilities, clears it once more (prctl(2)): such a container outlives a launcher that
	// is killed until the next command mends that.
	char byte;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(err, "PR_SET_PDEATHSIG");
	if (recv(launch->gate[1], &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		return err_set(err, EPIPE, "the launcher is gone");
	return 0;
}

static void describe_security(const struct launch *launch, FILE *out)
{
	fprintf(out, "             capabilities:");
	for (int i = 0; i < 64; i++) {
		if (launch->spec->process.caps.effective >> i & 1 && capset_name(i))
			fprintf(out, " %s", capset_name(i) + strlen("CAP_"));
	}
	fprintf(out, "%s\n", launch->spec->process.no_new_privileges ? "; no_new_privs" : "");
}

// capabilities(7): execve leaves a user other than root only the ambient set. Before it, the program is already looked for with
// that user's rights alone.
static struct spec_caps own_caps(const struct launch *launch)
{
	struct spec_caps caps = launch->spec->process.caps;
	if (launch->no_devices) {
		const uint64_t kept = ~(UINT64_C(1) << CAP_MKNOD);
		caps.bounding &= kept, caps.effective &= kept, caps.permitted &= kept, caps.inheritable &= kept,
			caps.ambient &= kept;
	}
	if (launch->spec->process.user && launch->user.uid != 0)
		caps.effective = caps.permitted = caps.ambient;
	return caps;
}

// Loading a filter needs CAP_SYS_ADMIN or no_new_privs, so without the latter it comes before the capabilities go. A filter that
// forbids what follows would break the launch, hence the order otherwise.
static int run_security(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	const struct spec_caps caps = own_caps(launch);
	prctl(PR_SET_DUMPABLE, 0);
	if (caps_drop_bounding(&caps, err) < 0)
		return -1;
	if (!p->no_new_privileges && seccomp_apply(&launch->seccomp, err) < 0)
		return -1;
	if (caps_keep_over_setuid(err) < 0 || set_ids(launch, err) < 0 || caps_apply(&caps, err) < 0)
		return -1;
	if (p->no_new_privileges &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(err, "no_new_privs") : seccomp_apply(&launch->seccomp, err)) < 0)
		return -1;
	return die_with_parent(launch, err);
}

static bool wants_init(const struct launch *launch)
{
	return launch->spec->process.init;
}

static int run_exec(struct launch *launch, struct err *err)
{
	struct report report = { .kind = REPORT_EXECUTING };
	if (fd_write_full(launch->report[1], &report, sizeof(report)) < 0)
		return err_sys(err, "report to the launcher");
	trace_event(launch->trace, "exec", TRACE_END);
	return exec_program(launch, err);
}

static const struct stage inside[] = {
	{ "begin", "gate 1: ids are mapped; be the container's root", NULL, NULL, run_begin, NULL },
	{ "cgroup", "join the control group, then unshare its namespace", wants_cgroup, NULL, run_cgroup, NULL },
	{ "attach", "make mounts private; mount the overlay root", launch_has_mountns, NULL, rootfs_attach, NULL },
	{ "mounts", "mount what the container sees", launch_has_mountns, describe_mounts, mounts_attach, NULL },
	{ "devices", "make device nodes and links in /dev", launch_has_mountns, NULL, devices_make, NULL },
	{ "etcfiles", "bind /etc/resolv.conf, hosts and hostname", launch_has_mountns, NULL, etcfiles_bind, NULL },
	{ "lo", "bring up the loopback interface", wants_lo, NULL, run_lo, NULL },
	{ "go", "gate 2: the network is there", NULL, NULL, run_go, NULL },
	{ "pivot", "pivot_root: every mount of the host is gone", launch_has_mountns, NULL, rootfs_pivot, NULL },
	{ "names", "set host name and sysctls", wants_names, describe_names, run_names, NULL },
	{ "masks", "mask and protect paths of /proc and /sys", launch_has_mountns, NULL, run_masks, NULL },
	{ "lookup", "find the user in the container's files", NULL, NULL, run_lookup, NULL },
	{ "terminal", "make a pty of the container's own", wants_tty, NULL, tty_open, NULL },
	{ "process", "working folder, limits, descriptors", NULL, NULL, run_process, NULL },
	{ "security", "filter, user, capabilities", NULL, describe_security, run_security, NULL },
	{ "init", "stay as pid 1 and reap; the program is a child", wants_init, NULL, init_fork, NULL },
	{ "exec", "become the program", NULL, NULL, run_exec, NULL },
	{ 0 },
};

void launch_explain_child(const struct launch *launch, FILE *out)
{
	stage_explain(inside, launch, out);
}

void launch_child(struct launch *launch)
{
	struct report report = { .kind = REPORT_FAILED };
	prctl(PR_SET_PDEATHSIG,
	      SIGKILL); // until the last change of credentials sets it for good; a detached one's parent is its monitor
	fd_close(&launch->gate[0]);
	fd_close(&launch->report[0]);
	fd_close(&launch->signals);
	fd_close(&launch->state); // its lock is the launcher's alone
	stage_run(inside, launch, &report.err);
	report.exit_code = launch->exit_code;
	(void)!write(launch->report[1], &report, sizeof(report));
	_exit(launch->exit_code);
}
