// SPDX-License-Identifier: GPL-2.0-or-later
// attributes.c - what a process has besides ids, rights and limits
#include "coso/launch/attributes.h"

#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MPOL_F_NUMA_BALANCING // Linux 5.12
#define MPOL_F_NUMA_BALANCING (1 << 13)
#endif

// As headers before Linux 5.15 and 6.9 don't know them all.
enum { PREFERRED = 1, BIND = 2, INTERLEAVE = 3, LOCAL = 4, PREFERRED_MANY = 5, WEIGHTED_INTERLEAVE = 6 };

enum { NICE_LEAST = -20, NICE_MOST = 19, OOM_LEAST = -1000, OOM_MOST = 1000, UMASK_MOST = 0777, ISO = 4 };

// struct sched_attr of the kernel, the size of Linux 5.3; C libraries have it under its name only of late.
struct scheduler {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static bool is_real_time(uint32_t policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static int check_scheduler(const struct spec_scheduler *s, struct err *err)
{
	const uint64_t flags =
		SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN | SCHED_FLAG_KEEP_ALL | SCHED_FLAG_UTIL_CLAMP;
	if (!s->given)
		return 0;
	if (s->policy == ISO)
		return err_set(err, EINVAL, "scheduler.policy SCHED_ISO: Linux has the name, but not the policy");
	if (s->policy > SCHED_DEADLINE)
		return err_set(err, EINVAL, "scheduler.policy %u: there is no such policy", s->policy);
	if (s->nice < NICE_LEAST || s->nice > NICE_MOST)
		return err_set(err, EINVAL, "scheduler.nice %d: not from %d to %d", s->nice, NICE_LEAST, NICE_MOST);
	if (s->priority && !is_real_time(s->policy))
		return err_set(err, EINVAL, "scheduler.priority %u: only SCHED_FIFO and SCHED_RR have one", s->priority);
	if (is_real_time(s->policy) && (s->priority < 1 || s->priority > 99))
		return err_set(err, EINVAL, "scheduler.priority %u: with SCHED_FIFO and SCHED_RR it is from 1 to 99", s->priority);
	if ((s->runtime || s->deadline || s->period) && s->policy != SCHED_DEADLINE)
		return err_set(err, EINVAL, "scheduler.runtime, deadline and period: only SCHED_DEADLINE has them");
	if (s->flags & ~flags)
		return err_set(err, EINVAL, "scheduler.flags %#llx: there are no such flags",
			       (unsigned long long)(s->flags & ~flags));
	return 0;
}

static int check_io_priority(const struct spec_io_priority *p, struct err *err)
{
	if (!p->given)
		return 0;
	if (p->class != IOPRIO_CLASS_RT && p->class != IOPRIO_CLASS_BE && p->class != IOPRIO_CLASS_IDLE)
		return err_set(err, EINVAL, "ioPriority.class %d: it is IOPRIO_CLASS_RT, _BE or _IDLE", p->class);
	if (p->priority < 0 || p->priority >= IOPRIO_BE_NR)
		return err_set(err, EINVAL, "ioPriority.priority %d: not from 0 to %d", p->priority, IOPRIO_BE_NR - 1);
	return 0;
}

static int check_memory_policy(const struct spec_memory_policy *p, struct list *out_nodes, struct err *err)
{
	const int flags = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES | MPOL_F_NUMA_BALANCING;
	int mode = p->mode & ~flags;
	if (!p->given)
		return 0;
	if (mode < MPOL_DEFAULT || mode > WEIGHTED_INTERLEAVE)
		return err_set(err, EINVAL, "invalid memory policy: mode %#x: there is no such mode", (unsigned int)mode);
	if (p->nodes && list_parse("nodes", p->nodes, out_nodes, err) < 0)
		return err_wrap(err, "invalid memory policy");
	bool none = list_is_empty(out_nodes);
	if (none && mode != MPOL_DEFAULT && mode != LOCAL && mode != PREFERRED)
		return err_set(err, EINVAL, "invalid memory policy: this mode needs nodes");
	if (!none && (mode == MPOL_DEFAULT || mode == LOCAL))
		return err_set(err, EINVAL, "invalid memory policy: nodes '%.80s': MPOL_DEFAULT and MPOL_LOCAL have none",
			       p->nodes);
	if ((p->mode & MPOL_F_STATIC_NODES) && (p->mode & MPOL_F_RELATIVE_NODES))
		return err_set(err, EINVAL,
			       "invalid memory policy: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other");
	return 0;
}

static int parse_cpus(const char *what, const char *text, struct list *out, struct err *err)
{
	if (!text)
		return 0;
	if (list_parse(what, text, out, err) < 0)
		return -1;
	return list_is_empty(out) ? err_set(err, EINVAL, "%s '': it names no CPU", what) : 0;
}

int attributes_prepare(const struct spec *spec, struct attributes *out, struct err *err)
{
	const struct spec_process *p = &spec->process;
	struct attributes a = { .spec = spec };
	if (check_scheduler(&p->scheduler, err) < 0 || check_io_priority(&p->io_priority, err) < 0 ||
	    check_memory_policy(&spec->memory_policy, &a.nodes, err) < 0 ||
	    parse_cpus("execCPUAffinity.initial", p->cpus_initial, &a.cpus_initial, err) < 0 ||
	    parse_cpus("execCPUAffinity.final", p->cpus_final, &a.cpus_final, err) < 0)
		return -1;
	if (p->oom_score_adj.given && (p->oom_score_adj.value < OOM_LEAST || p->oom_score_adj.value > OOM_MOST))
		return err_set(err, EINVAL, "oomScoreAdj %lld: not from %d to %d", (long long)p->oom_score_adj.value, OOM_LEAST,
			       OOM_MOST);
	if (p->umask.given && (p->umask.value < 0 || p->umask.value > UMASK_MOST))
		return err_set(err, EINVAL, "user.umask %#llo: not from 0 to 0777", (unsigned long long)p->umask.value);
	if (spec->personality && spec->personality != PER_LINUX32)
		return err_set(err, EINVAL, "personality %#lx: only LINUX and LINUX32 are possible", spec->personality);
	*out = a;
	return 0;
}

int attributes_set_oom(const struct attributes *attributes, int proc, pid_t pid, struct err *err)
{
	const struct spec_number *score = &attributes->spec->process.oom_score_adj;
	char text[24], path[48];
	if (!score->given)
		return 0;
	snprintf(text, sizeof(text), "%lld", (long long)score->value);
	snprintf(path, sizeof(path), "%d/oom_score_adj", (int)pid);
	own_fd int fd = pid ? procfs_open_file(proc, path, O_WRONLY, err) : procfs_open_own(proc, "oom_score_adj", O_WRONLY, err);
	if (fd < 0)
		return err_wrap(err, "oomScoreAdj %s", text);
	if (write(fd, text, strlen(text)) < 0) {
		err_sys(err, "oomScoreAdj %s: write oom_score_adj", text);
		return err->code == EACCES ? err_hint(err, "lowering it needs CAP_SYS_RESOURCE on the host") : -1;
	}
	return 0;
}

int attributes_set_scheduler(const struct attributes *attributes, pid_t pid, struct err *err)
{
	const struct spec_scheduler *s = &attributes->spec->process.scheduler;
	const struct scheduler wanted = {
		.size = sizeof(wanted),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	if (!s->given || syscall(SYS_sched_setattr, pid, &wanted, 0) == 0)
		return 0;
	err_sys(err, "scheduler: set policy %u", s->policy);
	if (err->code == EPERM)
		return err_hint(err, "it needs CAP_SYS_NICE on the host, and SCHED_DEADLINE all of its CPUs");
	return err->code == EBUSY ? err_hint(err, "the CPUs have no such time left for SCHED_DEADLINE") : -1;
}

int attributes_set_io_priority(const struct attributes *attributes, pid_t group, struct err *err)
{
	const struct spec_io_priority *p = &attributes->spec->process.io_priority;
	if (!p->given || syscall(SYS_ioprio_set, IOPRIO_WHO_PGRP, group, IOPRIO_PRIO_VALUE(p->class, p->priority)) == 0)
		return 0;
	err_sys(err, "ioPriority: set class %d, priority %d", p->class, p->priority);
	return err->code == EPERM ? err_hint(err, "IOPRIO_CLASS_RT needs CAP_SYS_NICE on the host") : -1;
}

static int set_cpus(const char *what, const char *text, const struct list *cpus, pid_t pid, struct err *err)
{
	if (!text || syscall(SYS_sched_setaffinity, pid, sizeof(cpus->bits), cpus->bits) == 0)
		return 0;
	err_sys(err, "%s '%.80s'", what, text);
	return err->code == EINVAL ? err_hint(err, "none of these CPUs is there, or allowed by the cpuset") : -1;
}

int attributes_set_initial_cpus(const struct attributes *attributes, pid_t pid, struct err *err)
{
	return set_cpus("execCPUAffinity.initial", attributes->spec->process.cpus_initial, &attributes->cpus_initial, pid, err);
}

int attributes_set_final_cpus(const struct attributes *attributes, pid_t pid, struct err *err)
{
	return set_cpus("execCPUAffinity.final", attributes->spec->process.cpus_final, &attributes->cpus_final, pid, err);
}

void attributes_free_cpus(pid_t pid)
{
	struct list all;
	memset(&all, 0xff, sizeof(all));
	syscall(SYS_sched_setaffinity, pid, sizeof(all.bits), all.bits);
}

int attributes_set_memory_policy(const struct attributes *attributes, struct err *err)
{
	const struct spec_memory_policy *p = &attributes->spec->memory_policy;
	bool none = list_is_empty(&attributes->nodes);
	// The kernel reads one bit less than it is told.
	if (!p->given ||
	    syscall(SYS_set_mempolicy, p->mode, none ? NULL : attributes->nodes.bits, none ? 0UL : LIST_MAX + 1UL) == 0)
		return 0;
	err_sys(err, "invalid memory policy: mode %#x with nodes '%.80s'", (unsigned int)p->mode, p->nodes ? p->nodes : "");
	return err->code == EINVAL ? err_hint(err, "the kernel lacks that mode, or the cpuset those nodes") : -1;
}

int attributes_set_personality(const struct attributes *attributes, struct err *err)
{
	if (attributes->spec->personality && personality(attributes->spec->personality) < 0)
		return err_sys(err, "set the personality");
	return 0;
}

void attributes_set_umask(const struct attributes *attributes)
{
	const struct spec_number *mask = &attributes->spec->process.umask;
	umask(mask->given ? (mode_t)mask->value : 022);
}

int attributes_give_streams(uid_t uid, gid_t gid, struct err *err)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		struct stat st;
		if (fstat(fd, &st) < 0 || S_ISCHR(st.st_mode) || (st.st_uid == uid && st.st_gid == gid))
			continue;
		if (fchown(fd, uid, gid) < 0 && errno != EPERM && errno != EROFS && errno != EINVAL)
			return err_sys(err, "give descriptor %d to user %u", fd, uid);
	}
	return 0;
}

int attributes_set_groups(const struct attributes *attributes, const uint32_t *groups, size_t count, bool denied, struct err *err)
{
	const struct spec_process *p = &attributes->spec->process;
	if (p->keep_groups)
		return 0;
	if (denied && p->group_count)
		return err_set(err, EPERM,
			       "set supplementary groups: this user namespace isn't allowed to (setgroups(2) is denied)");
	if (!denied && syscall(SYS_setgroups, count, groups) < 0)
		return err_sys(err, "set supplementary groups");
	return 0;
}
