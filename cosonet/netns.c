// SPDX-License-Identifier: GPL-2.0-or-later
// netns.c - the network namespace of a process that somebody named by its pid
#include "cosonet/netns.h"

#include "shared/fd.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// The kernel checks our capabilities over the namespace's owner in setns(2) and RTM_NEWLINK. A caller who isn't root but runs us
// with borrowed capabilities (a setuid bit, file capabilities) must in addition own that user namespace (CVE-2017-5985 of LXC).
static int check_owner(int fd, pid_t pid, struct err *err)
{
	own_fd int user = ioctl(fd, NS_GET_USERNS);
	if (user < 0)
		return err_set(err, EPERM,
			       "the network namespace of pid %d belongs to a user namespace outside of ours: "
			       "run cosonet as the user who made it, or as root of the host",
			       pid);
	uid_t owner = (uid_t)-1;
	if (ioctl(user, NS_GET_OWNER_UID, &owner) < 0)
		return err_sys(err, "owner of the network namespace of pid %d", pid);
	if (getuid() != 0 && owner != getuid())
		return err_set(err, EPERM,
			       "the network namespace of pid %d belongs to uid %u, not to you (uid %u): run cosonet as root", pid,
			       owner, getuid());
	return 0;
}

int netns_open(struct netns *netns, pid_t pid, struct err *err)
{
	own_netns struct netns ns = NETNS_NONE;
	char path[48];

	ns.pidfd = sys_pidfd_open(pid, 0);
	if (ns.pidfd < 0 && errno == ESRCH)
		return err_set(err, ESRCH, "-pid %d: no such process", pid);
	if (ns.pidfd < 0)
		return err_sys(err, "-pid %d", pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	ns.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ns.fd < 0 && errno == ENOENT)
		return err_set(err, ESRCH, "-pid %d: the process has ended", pid);
	if (ns.fd < 0 && (errno == EACCES || errno == EPERM))
		return err_set(err, EPERM,
			       "the network namespace of pid %d isn't yours to open: run cosonet as the user who made it, or as "
			       "root of the host",
			       pid);
	if (ns.fd < 0)
		return err_sys(err, "network namespace of pid %d: open '%s'", pid, path);
	// Alive now means that /proc/PID was the same process all the while.
	if (sys_pidfd_send_signal(ns.pidfd, 0) < 0 && errno == ESRCH)
		return err_set(err, ESRCH, "-pid %d: the process has ended", pid);
	ns.own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (ns.own < 0)
		return err_sys(err, "open '/proc/self/ns/net'");
	struct stat theirs, ours;
	if (fstat(ns.fd, &theirs) < 0 || fstat(ns.own, &ours) < 0)
		return err_sys(err, "network namespace of pid %d", pid);
	if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
		return err_set(err, EINVAL,
			       "-pid %d is in our own network namespace: give the pid of a process that has one of its own "
			       "(unshare --net)",
			       pid);
	if (check_owner(ns.fd, pid, err) < 0)
		return -1;
	*netns = ns;
	ns = NETNS_NONE;
	return 0;
}

void netns_close(struct netns *netns)
{
	fd_close(&netns->pidfd);
	fd_close(&netns->own);
	fd_close(&netns->fd);
}

int netns_enter(const struct netns *netns, struct err *err)
{
	if (setns(netns->fd, CLONE_NEWNET) < 0)
		return err_sys(err, "enter the container's network namespace");
	return 0;
}

int netns_leave(const struct netns *netns, struct err *err)
{
	if (setns(netns->own, CLONE_NEWNET) < 0)
		return err_sys(err, "return to our own network namespace");
	return 0;
}
