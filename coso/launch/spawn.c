// SPDX-License-Identifier: GPL-2.0-or-later
// spawn.c - makes the container's first process
//
// Theory of operation. Without a namespace to join it is one clone3. Else a helper is cloned first, which shares nothing but our table
// of descriptors. It enters the namespaces, so that this process stays where it is, and clones the container's first process as its
// own sibling (CLONE_PARENT): we are its parent all the same, and its pidfd is in our table. Two tries: with the caller's rights first,
// since root of the host may enter what no user namespace gives a right to; then with those that the joined user namespace gives.
//
// A group on v2 is joined from the caller's cgroup namespace, and the container's entered by the child itself: where the hierarchy is
// mounted with nsdelegate, as systemd does, nobody may be moved from outside of their own cgroup namespace (ENOENT). cgroups(7)
#include "coso/launch/spawn.h"

#include "coso/launch/launch.h"
#include "coso/spec/subid.h"
#include "shared/fd.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	unsigned long flag;
	const char *name;
} kinds[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWPID, "pid" }, { CLONE_NEWNS, "mount" },      { CLONE_NEWNET, "network" },
	{ CLONE_NEWUTS, "uts" },   { CLONE_NEWIPC, "ipc" }, { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

void spawn_describe(const struct launch *launch, FILE *out)
{
	fprintf(out, "             new namespaces:");
	for (size_t i = 0; i < KINDS; i++) {
		if (launch->spec->namespaces & kinds[i].flag)
			fprintf(out, " %s", kinds[i].name);
	}
	fprintf(out, "\n");
	for (size_t i = 0; i < launch->spec->join_count; i++)
		fprintf(out, "             joins: %s\n", launch->spec->joins[i].path);
}

static int open_channels(struct launch *launch, struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, launch->gate) < 0)
		return err_sys(err, "make the gate's sockets");
	if (pipe2(launch->report, O_CLOEXEC) < 0)
		return err_sys(err, "make the error pipe");
	return 0;
}

// The cgroup namespace is unshared by the child once it is in its group, since clone3 would root it at ours; the time namespace once
// its offsets are written.
static uint64_t clone_flags(const struct launch *launch)
{
	if (launch_is_join(launch))
		return CLONE_PIDFD;
	return (launch->spec->namespaces & ~(uint64_t)(CLONE_NEWCGROUP | CLONE_NEWTIME)) | CLONE_PIDFD;
}

static int spawn_failed(const struct launch *launch, struct err *err)
{
	int code = errno;
	err_sys(err, "clone3 (new namespaces)");
	if ((launch->spec->namespaces & CLONE_NEWUSER) && (code == EPERM || code == ENOSPC || code == EUSERS || code == EINVAL)) {
		err->code = EUSERS;
		return err_hint(
			err,
			"user namespaces: see user.max_user_namespaces and kernel.unprivileged_userns_clone; inside another container, its seccomp "
			"profile has to allow them; or --userns host, with CAP_SYS_ADMIN");
	}
	if (code == EPERM)
		return err_hint(err, "making namespaces needs CAP_SYS_ADMIN, or a user namespace: --userns auto");
	return -1;
}

// sysfs shows the network namespace that it was made in, and only who owns that may make it.
static int open_sysfs(void)
{
	own_fd int fs = sys_fsopen("sysfs", FSOPEN_CLOEXEC);
	if (fs < 0 || sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
}

enum { JOINS_MAX = KINDS };

// What the helper says, in one write(2). With pid -1 `err` tells why.
struct news {
	pid_t pid;
	int pidfd, sysfs;
	struct err err;
};

static bool is_same(int fd, const char *path)
{
	struct stat own, other;
	return fstat(fd, &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

// The container's root becomes that of everybody in its mount namespace. pivot_root(2)
static int check_join(const struct spec_join *join, int fd, struct err *err)
{
	if (join->flag != CLONE_NEWNS || (!is_same(fd, "/proc/self/ns/mnt") && !is_same(fd, "/proc/1/ns/mnt")))
		return 0;
	return err_set(err, EINVAL, "join the mount namespace '%s': it is the host's, which would lose its root", join->path);
}

static int open_joins(const struct spec *spec, int fds[JOINS_MAX], struct err *err)
{
	if (spec->join_count > JOINS_MAX)
		return err_set(err, EINVAL, "join %zu namespaces: there are %d kinds", spec->join_count, (int)JOINS_MAX);
	for (size_t i = 0; i < spec->join_count; i++) {
		fds[i] = open(spec->joins[i].path, O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			return err_sys(err, "open namespace '%s'", spec->joins[i].path);
		if (check_join(&spec->joins[i], fds[i], err) < 0)
			return -1;
	}
	return 0;
}

static int join_one(const struct spec_join *join, int fd, struct err *err)
{
	if (setns(fd, (int)join->flag) == 0)
		return 0;
	err_sys(err, "join namespace '%s'", join->path);
	return err->code == EINVAL ? err_hint(err, "is it of the right type?") : -1;
}

// The cgroup namespace is left to spawn_enter_cgroup.
static bool defers_cgroup(const struct launch *launch)
{
	for (size_t i = 0; i < launch->cgroup.count; i++)
		if (launch->cgroup.hierarchies[i].v2 && launch->cgroup.hierarchies[i].join >= 0)
			return launch->cgroup.path && launch_has(launch, CLONE_NEWCGROUP);
	return false;
}

// Enters them all; the user namespace when nothing else can be entered without it. The descriptors stay: the table is ours, too.
static int join_all(struct launch *launch, const int fds[JOINS_MAX], struct err *err)
{
	const struct spec *spec = launch->spec;
	bool done[JOINS_MAX] = { 0 };
	for (size_t i = 0; i < spec->join_count && defers_cgroup(launch); i++) {
		done[i] = spec->joins[i].flag == CLONE_NEWCGROUP;
		launch->cgroup_ns = done[i] ? fds[i] : launch->cgroup_ns;
	}
	enum { WITH_OUR_RIGHTS, USER_NAMESPACE, WITH_ITS_RIGHTS, TRIES };
	for (int try = 0; try < TRIES; try++) {
		for (size_t i = 0; i < spec->join_count; i++) {
			bool user = spec->joins[i].flag == CLONE_NEWUSER;
			if (done[i] || user != (try == USER_NAMESPACE))
				continue;
			done[i] = join_one(&spec->joins[i], fds[i], err) == 0;
			if (!done[i] && (try != WITH_OUR_RIGHTS || err->code != EPERM))
				return -1;
		}
	}
	return 0;
}

// The target's cgroup namespace for who can have it, since the child has fewer rights; else the target.
static int open_cgroup_ns(const struct launch *launch, struct err *err)
{
	own_fd int own = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	if (own < 0 || setns(launch->target, CLONE_NEWCGROUP) < 0)
		return launch->target;
	int theirs = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
	return setns(own, CLONE_NEWCGROUP) < 0 || theirs < 0 ? err_sys(err, "open the container's cgroup namespace") : theirs;
}

// A kernel without CONFIG_TIME_NS refuses the flag.
static int enter(int target, unsigned long flags)
{
	int result = setns(target, (int)flags);
	if (result < 0 && errno == EINVAL && access("/proc/self/ns/time", F_OK) < 0)
		result = setns(target, (int)(flags & ~(unsigned long)CLONE_NEWTIME));
	return result;
}

// Every namespace of a process at once, whose rights are looked at with the caller's. Linux 5.8. One's own user namespace can't be entered;
// nor may an ordinary user enter what a container shares with the host, as both do already.
static int join_target(struct launch *launch, struct err *err)
{
	unsigned long all = 0, own = 0, later = defers_cgroup(launch) ? CLONE_NEWCGROUP : 0;
	for (size_t i = 0; i < KINDS; i++) {
		const bool has = launch_has(launch, kinds[i].flag);
		all |= has || kinds[i].flag != CLONE_NEWUSER ? kinds[i].flag : 0;
		own |= has ? kinds[i].flag : 0;
	}
	if (later && (launch->cgroup_ns = open_cgroup_ns(launch, err)) < 0)
		return -1;
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return err_sys(err, "PR_SET_DUMPABLE");
	if (enter(launch->target, all & ~later) == 0 || (errno == EPERM && enter(launch->target, own & ~later) == 0))
		return 0;
	return err_sys(err, "enter the container's namespaces");
}

static void __attribute__((noreturn)) helper(struct launch *launch, struct clone_args *args, const int fds[JOINS_MAX], int out)
{
	struct news news = { .pid = -1, .pidfd = -1, .sysfs = -1 };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((launch_is_join(launch) ? join_target(launch, &news.err) : join_all(launch, fds, &news.err)) == 0) {
		if (!launch_is_join(launch) && launch_joined(launch, CLONE_NEWNET) && launch_has_mountns(launch) &&
		    launch->caller.privileged)
			launch->sysfs = news.sysfs = open_sysfs(); // where it can't be had, the caller's own is bound
		args->flags |= CLONE_PARENT;
		args->exit_signal = 0; // it is the helper's own: SIGCHLD
		args->pidfd = (uint64_t)(uintptr_t)&news.pidfd;
		news.pid = sys_clone3(args);
		if (news.pid == 0)
			launch_child(launch);
		if (news.pid < 0)
			spawn_failed(launch, &news.err);
	}
	if (launch_is_join(launch) && launch->cgroup_ns != launch->target) // the table is shared
		fd_close(&launch->cgroup_ns);
	(void)!write(out, &news, sizeof(news));
	_exit(0);
}

static int clone_joined(struct launch *launch, struct clone_args *args, struct err *err)
{
	int fds[JOINS_MAX] = { -1, -1, -1, -1, -1, -1, -1, -1 }, pipe[2] = { -1, -1 }, result = -1;
	struct clone_args own = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	struct news news = { .pid = -1, .pidfd = -1, .sysfs = -1 };
	if (!launch_is_join(launch) && open_joins(launch->spec, fds, err) < 0)
		goto done;
	if (pipe2(pipe, O_CLOEXEC) < 0) {
		err_sys(err, "make a pipe");
		goto done;
	}
	int pid = sys_clone3(&own);
	if (pid == 0)
		helper(launch, args, fds, pipe[1]);
	if (pid < 0) {
		err_sys(err, "fork the helper that joins namespaces");
		goto done;
	}
	waitpid(pid, NULL, 0);
	fd_close(&pipe[1]);
	if (fd_read_full(pipe[0], &news, sizeof(news)) != (ssize_t)sizeof(news)) {
		err_set(err, EIO, "the helper that joins namespaces was killed");
		goto done;
	}
	launch->pidfd = news.pidfd;
	launch->sysfs = news.sysfs;
	if (news.pid < 0)
		*err = news.err;
	result = news.pid;
done:
	for (size_t i = 0; i < JOINS_MAX; i++)
		fd_close(&fds[i]);
	fd_close(&pipe[0]);
	fd_close(&pipe[1]);
	return result;
}

int spawn_run(struct launch *launch, struct err *err)
{
	struct clone_args args = {
		.flags = clone_flags(launch),
		.pidfd = (uint64_t)(uintptr_t)&launch->pidfd,
		.exit_signal = SIGCHLD,
	};
	if (open_channels(launch, err) < 0)
		return -1;
	if (launch->cgroup.v2 >= 0 && launch->cgroup.path) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (__u64)launch->cgroup.hierarchies[launch->cgroup.v2].join;
	}
	bool joins = launch_is_join(launch) || launch->spec->join_count;
	int pid = joins ? clone_joined(launch, &args, err) : sys_clone3(&args);
	if (pid == 0)
		launch_child(launch);
	if (pid < 0)
		return joins ? -1 : spawn_failed(launch, err);
	launch->pid = pid;
	fd_close(&launch->gate[1]);
	fd_close(&launch->report[1]);
	if ((args.flags & CLONE_INTO_CGROUP) && !cgroup_has_v1(&launch->cgroup))
		cgroup_close(&launch->cgroup);
	return 0;
}

int spawn_enter_cgroup(const struct launch *launch, struct err *err)
{
	if (launch->cgroup_ns >= 0 && setns(launch->cgroup_ns, CLONE_NEWCGROUP) < 0)
		return err_sys(err, "enter the container's cgroup namespace");
	return 0;
}

void spawn_undo(struct launch *launch)
{
	int status;
	if (launch->pidfd >= 0) {
		sys_pidfd_send_signal(launch->pidfd, SIGKILL);
		proc_wait(launch->pidfd, -1, &status);
	}
	fd_close(&launch->pidfd);
	for (int i = 0; i < 2; i++) {
		fd_close(&launch->gate[i]);
		fd_close(&launch->report[i]);
	}
	fd_close(&launch->console);
}

int spawn_read_maps(struct arena *arena, const char *path, struct spec_idmaps *out_uids, struct spec_idmaps *out_gids,
		    struct err *err)
{
	own_fd int userns = open(path, O_RDONLY | O_CLOEXEC);
	int pipe[2], pidfd = -1, status;
	char byte;
	if (userns < 0)
		return err_sys(err, "open namespace '%s'", path);
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	int pid = sys_clone3(&args);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setns(userns, CLONE_NEWUSER) == 0 && write(pipe[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	fd_close(&pipe[1]);
	int result = pid < 0 ? err_sys(err, "fork") : 0;
	if (result == 0 && read(pipe[0], &byte, 1) != 1)
		result = err_set(err, EPERM, "enter the user namespace '%s', to learn its ids: not permitted", path);
	if (result == 0) {
		*out_uids = subid_read_maps(arena, arena_printf(arena, "/proc/%d/uid_map", pid));
		*out_gids = subid_read_maps(arena, arena_printf(arena, "/proc/%d/gid_map", pid));
	}
	if (pid > 0) {
		sys_pidfd_send_signal(pidfd, SIGKILL);
		proc_wait(pidfd, -1, &status);
	}
	fd_close(&pipe[0]);
	fd_close(&pidfd);
	return result;
}
