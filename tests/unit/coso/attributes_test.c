// SPDX-License-Identifier: GPL-2.0-or-later
// attributes_test.c - what a child asks for, and what the kernel then says it has
#include "coso/launch/attributes.h"
#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WEIGHTED_INTERLEAVE = 6 };

static struct attributes prepared(const struct spec *spec)
{
	struct attributes a = { 0 };
	struct err err = { 0 };
	if (attributes_prepare(spec, &a, &err) < 0)
		fprintf(stderr, "%s\n", err.msg);
	CU_ASSERT_PTR_EQUAL(a.spec, spec);
	return a;
}

static void is_wrong(const struct spec *spec, const char *text)
{
	struct attributes a = { 0 };
	struct err err = { 0 };
	CU_ASSERT_EQUAL(attributes_prepare(spec, &a, &err), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	if (!strstr(err.msg, text))
		fprintf(stderr, "'%s' isn't in '%s'\n", text, err.msg);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, text));
	CU_ASSERT_PTR_NULL(a.spec);
}

static void wrong_scheduler(struct spec_scheduler scheduler, const char *text)
{
	struct spec spec = { .process.scheduler = scheduler };
	spec.process.scheduler.given = true;
	is_wrong(&spec, text);
}

TEST(attributes, schedulers_that_cannot_be)
{
	wrong_scheduler((struct spec_scheduler){ .policy = 4 }, "SCHED_ISO");
	wrong_scheduler((struct spec_scheduler){ .policy = 7 }, "scheduler.policy 7");
	wrong_scheduler((struct spec_scheduler){ .nice = 20 }, "scheduler.nice 20");
	wrong_scheduler((struct spec_scheduler){ .nice = -21 }, "scheduler.nice -21");
	wrong_scheduler((struct spec_scheduler){ .priority = 1 }, "scheduler.priority 1: only");
	wrong_scheduler((struct spec_scheduler){ .policy = SCHED_BATCH, .priority = 1 }, "scheduler.priority 1: only");
	wrong_scheduler((struct spec_scheduler){ .policy = SCHED_FIFO }, "scheduler.priority 0: with");
	wrong_scheduler((struct spec_scheduler){ .policy = SCHED_RR, .priority = 100 }, "scheduler.priority 100: with");
	wrong_scheduler((struct spec_scheduler){ .runtime = 1 }, "only SCHED_DEADLINE");
	wrong_scheduler((struct spec_scheduler){ .policy = SCHED_FIFO, .priority = 1, .deadline = 1 }, "only SCHED_DEADLINE");
	wrong_scheduler((struct spec_scheduler){ .policy = SCHED_IDLE, .period = 1 }, "only SCHED_DEADLINE");
	wrong_scheduler((struct spec_scheduler){ .flags = 0x80 }, "scheduler.flags 0x80");
}

TEST(attributes, numbers_that_cannot_be)
{
	is_wrong(&(struct spec){ .process.io_priority = { true, 0, 0 } }, "ioPriority.class 0");
	is_wrong(&(struct spec){ .process.io_priority = { true, 4, 0 } }, "ioPriority.class 4");
	is_wrong(&(struct spec){ .process.io_priority = { true, IOPRIO_CLASS_BE, 8 } }, "ioPriority.priority 8");
	is_wrong(&(struct spec){ .process.io_priority = { true, IOPRIO_CLASS_BE, -1 } }, "ioPriority.priority -1");
	is_wrong(&(struct spec){ .process.oom_score_adj = { true, 1001 } }, "oomScoreAdj 1001");
	is_wrong(&(struct spec){ .process.oom_score_adj = { true, -1001 } }, "oomScoreAdj -1001");
	is_wrong(&(struct spec){ .process.umask = { true, 01000 } }, "user.umask 01000");
	is_wrong(&(struct spec){ .process.umask = { true, -1 } }, "user.umask");
	is_wrong(&(struct spec){ .personality = 1 }, "personality 0x1");
	is_wrong(&(struct spec){ .process.cpus_initial = "" }, "execCPUAffinity.initial ''");
	is_wrong(&(struct spec){ .process.cpus_initial = "x" }, "execCPUAffinity.initial 'x'");
	is_wrong(&(struct spec){ .process.cpus_final = "1-0" }, "execCPUAffinity.final '1-0'");
}

static void wrong_policy(int mode, const char *nodes, const char *text)
{
	struct spec spec = { .memory_policy = { true, mode, nodes } };
	is_wrong(&spec, "invalid memory policy");
	is_wrong(&spec, text);
}

TEST(attributes, memory_policies_that_cannot_be)
{
	wrong_policy(WEIGHTED_INTERLEAVE + 1, "0", "mode 0x7");
	wrong_policy(-1, "0", "mode");
	wrong_policy(MPOL_BIND | 1 << 12, "0", "mode 0x1002");
	wrong_policy(MPOL_BIND, NULL, "needs nodes");
	wrong_policy(MPOL_BIND, "", "needs nodes");
	wrong_policy(MPOL_INTERLEAVE, NULL, "needs nodes");
	wrong_policy(5, NULL, "needs nodes"); // MPOL_PREFERRED_MANY
	wrong_policy(WEIGHTED_INTERLEAVE, NULL, "needs nodes");
	wrong_policy(MPOL_DEFAULT, "0", "nodes '0'");
	wrong_policy(4, "0", "nodes '0'"); // MPOL_LOCAL
	wrong_policy(MPOL_BIND, "876543", "nodes '876543'");
	wrong_policy(MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, "0", "exclude each other");
}

// What sched_getattr(2) fills in.
struct scheduler {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void set_scheduler(struct spec_scheduler scheduler)
{
	struct spec spec = { .process.scheduler = scheduler };
	spec.process.scheduler.given = true;
	struct attributes a = prepared(&spec);
	struct scheduler has = { 0 };
	struct err err = { 0 };
	int rc = attributes_set_scheduler(&a, 0, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.msg);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT_EQUAL(syscall(SYS_sched_getattr, 0, &has, sizeof(has), 0), 0);
	CU_ASSERT_EQUAL(has.policy, scheduler.policy);
	CU_ASSERT(has.nice == scheduler.nice || scheduler.policy == SCHED_IDLE); // which has no niceness
	CU_ASSERT_EQUAL(has.priority, scheduler.priority);
	CU_ASSERT_EQUAL(has.flags & 7, scheduler.flags);
	if (scheduler.policy == SCHED_DEADLINE) {
		CU_ASSERT_EQUAL(has.runtime, scheduler.runtime);
		CU_ASSERT_EQUAL(has.deadline, scheduler.deadline);
		CU_ASSERT_EQUAL(has.period, scheduler.period);
	}
}

static void check_schedulers(void)
{
	set_scheduler((struct spec_scheduler){ .nice = 3 });
	set_scheduler((struct spec_scheduler){ .policy = SCHED_BATCH, .nice = 5, .flags = SCHED_FLAG_RESET_ON_FORK });
	if (geteuid()) // the flag can't be taken away again, nor can one be nicer to oneself
		return;
	set_scheduler((struct spec_scheduler){ .nice = -7 });
	set_scheduler((struct spec_scheduler){ .policy = SCHED_IDLE });
	if (sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }) < 0 && errno == EPERM) {
		printf("skipped: this control group has no real-time budget (CONFIG_RT_GROUP_SCHED) ");
		return;
	}
	set_scheduler((struct spec_scheduler){ .policy = SCHED_FIFO, .priority = 20 });
	set_scheduler((struct spec_scheduler){ .policy = SCHED_RR, .priority = 1 });
	set_scheduler(
		(struct spec_scheduler){ .policy = SCHED_DEADLINE, .runtime = 1000000, .deadline = 20000000, .period = 30000000 });
}

static void check_scheduler_refused(void)
{
	struct spec spec = { .process.scheduler = { .given = true, .policy = SCHED_FIFO, .priority = 1 } };
	struct attributes a = prepared(&spec);
	struct err err = { 0 };
	struct rlimit none = { 0 };
	setrlimit(RLIMIT_RTPRIO, &none);
	CU_ASSERT_EQUAL(geteuid() ? 0 : setresuid(1000, 1000, 1000), 0);
	CU_ASSERT_EQUAL(attributes_set_scheduler(&a, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "CAP_SYS_NICE"));
}

TEST(attributes, the_scheduler_is_as_asked)
{
	unit_in_child(check_schedulers);
	unit_in_child(check_scheduler_refused);
}

// For a process that stays, as a launcher does it for one in a user namespace.
static void check_of_another(void)
{
	struct spec spec = {
		.process = { .scheduler = { .given = true, .nice = 9 },
			     .io_priority = { true, IOPRIO_CLASS_BE, 6 },
			     .oom_score_adj = { true, 500 },
			     .cpus_final = "0" },
	};
	struct attributes a = prepared(&spec);
	char path[64], text[16] = "";
	cpu_set_t cpus;
	int own = getpriority(PRIO_PROCESS, 0);
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(setpgid(pid, pid), 0);
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT_EQUAL(attributes_set_scheduler(&a, pid, NULL), 0);
	CU_ASSERT_EQUAL(attributes_set_io_priority(&a, pid, NULL), 0);
	CU_ASSERT_EQUAL(attributes_set_oom(&a, proc, pid, NULL), 0);
	CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, (id_t)pid), 9);
	CU_ASSERT_EQUAL(getpriority(PRIO_PROCESS, 0), own);
	CU_ASSERT_EQUAL(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	CU_ASSERT(read(fd, text, sizeof(text) - 1) > 0);
	CU_ASSERT_STRING_EQUAL(text, "500\n");
	if (attributes_set_final_cpus(&a, pid, NULL) == 0) { // CPU 0 may not be ours
		CU_ASSERT_EQUAL(sched_getaffinity(pid, sizeof(cpus), &cpus), 0);
		CU_ASSERT(CPU_COUNT(&cpus) == 1 && CPU_ISSET(0, &cpus));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(attributes, of_another_process)
{
	unit_in_child(check_of_another);
}

static void check_io_priority(void)
{
	struct spec spec = { .process.io_priority = { true, IOPRIO_CLASS_IDLE, 7 } };
	struct attributes a = prepared(&spec);
	CU_ASSERT_EQUAL(setpgid(0, 0), 0);
	pid_t pid = fork(); // of the same group
	if (pid == 0) {
		pause();
		_exit(0);
	}
	CU_ASSERT_EQUAL(attributes_set_io_priority(&a, 0, NULL), 0);
	CU_ASSERT_EQUAL(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7));
	CU_ASSERT_EQUAL(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, pid), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7));
	CU_ASSERT_NOT_EQUAL(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, getppid()), IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 7));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST(attributes, the_io_priority_is_that_of_the_group)
{
	unit_in_child(check_io_priority);
}

static void check_cpus(void)
{
	cpu_set_t before, after;
	char list[32];
	int last = CPU_SETSIZE - 1;
	CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof(before), &before), 0);
	while (last >= 0 && !CPU_ISSET((size_t)last, &before))
		last--;
	snprintf(list, sizeof(list), "%d,8191", last);
	struct spec spec = { .process = { .cpus_initial = list, .cpus_final = "8191" } };
	struct attributes a = prepared(&spec);
	struct err err = { 0 };
	CU_ASSERT_EQUAL(attributes_set_initial_cpus(&a, 0, &err), 0);
	CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof(after), &after), 0);
	CU_ASSERT(CPU_COUNT(&after) == 1 && CPU_ISSET((size_t)last, &after));
	CU_ASSERT_EQUAL(attributes_set_final_cpus(&a, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "execCPUAffinity.final '8191'"));
	attributes_free_cpus(0);
	CU_ASSERT_EQUAL(sched_getaffinity(0, sizeof(after), &after), 0);
	CU_ASSERT(CPU_COUNT(&after) >= CPU_COUNT(&before));
}

TEST(attributes, cpus_are_those_of_the_list)
{
	unit_in_child(check_cpus);
}

static void policy_is(int mode, const char *nodes, int expected, unsigned long expected_nodes)
{
	struct spec spec = { .memory_policy = { true, mode, nodes } };
	struct attributes a = prepared(&spec);
	unsigned long has[LIST_MAX / LIST_WORD] = { 0 };
	int policy = -1;
	CU_ASSERT_EQUAL(attributes_set_memory_policy(&a, NULL), 0);
	CU_ASSERT_EQUAL(syscall(SYS_get_mempolicy, &policy, has, LIST_MAX + 1UL, NULL, 0UL), 0);
	CU_ASSERT_EQUAL(policy, expected);
	CU_ASSERT_EQUAL(has[0], expected_nodes);
}

static void check_memory_policy(void)
{
	policy_is(MPOL_BIND | MPOL_F_STATIC_NODES, "0", MPOL_BIND | MPOL_F_STATIC_NODES, 1);
	policy_is(MPOL_INTERLEAVE, "0", MPOL_INTERLEAVE, 1);
	policy_is(MPOL_PREFERRED, "0", MPOL_PREFERRED, 1);
	policy_is(4, NULL, 4, 0); // MPOL_LOCAL
	policy_is(MPOL_DEFAULT, "", MPOL_DEFAULT, 0);

	struct spec spec = { .memory_policy = { true, MPOL_BIND, "8191" } };
	struct attributes a = prepared(&spec);
	struct err err = { 0 };
	CU_ASSERT_EQUAL(attributes_set_memory_policy(&a, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "invalid memory policy"));
}

TEST(attributes, the_memory_policy_is_as_asked)
{
	int policy;
	if (syscall(SYS_get_mempolicy, &policy, NULL, 0UL, NULL, 0UL) == 0)
		unit_in_child(check_memory_policy);
	else
		printf("skipped: the kernel has no NUMA ");
}

static void check_small_things(void)
{
	struct spec spec = { .personality = PER_LINUX32, .process.umask = { true, 0 } }, none = { 0 };
	struct attributes a = prepared(&spec), nothing = prepared(&none);
	CU_ASSERT_EQUAL(attributes_set_personality(&nothing, NULL), 0);
	CU_ASSERT_EQUAL(personality(0xffffffff), 0);
	CU_ASSERT_EQUAL(attributes_set_personality(&a, NULL), 0);
	CU_ASSERT_EQUAL(personality(0xffffffff), PER_LINUX32);
	umask(07);
	attributes_set_umask(&nothing);
	CU_ASSERT_EQUAL(umask(07), 022);
	attributes_set_umask(&a);
	CU_ASSERT_EQUAL(umask(07), 0);
}

TEST(attributes, personality_and_umask)
{
	unit_in_child(check_small_things);
}

static void check_oom(void)
{
	struct spec spec = { .process.oom_score_adj = { true, 700 } }, none = { 0 };
	struct attributes a = prepared(&spec), nothing = prepared(&none);
	struct err err = { 0 };
	char text[16] = "";
	own_fd int proc = procfs_open(NULL);
	CU_ASSERT_EQUAL(attributes_set_oom(&a, proc, 0, NULL), 0);
	own_fd int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	CU_ASSERT(read(fd, text, sizeof(text) - 1) > 0);
	CU_ASSERT_STRING_EQUAL(text, "700\n");
	CU_ASSERT_EQUAL(attributes_set_oom(&nothing, -1, 0, NULL), 0);
	if (geteuid())
		return;
	// Root without CAP_SYS_RESOURCE is asked for it as others are.
	CU_ASSERT_EQUAL(unshare(CLONE_NEWUSER), 0);
	spec.process.oom_score_adj.value = -1000;
	CU_ASSERT_EQUAL(attributes_set_oom(&a, proc, 0, &err), -1);
	CU_ASSERT_EQUAL(err.code, EACCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "oomScoreAdj -1000"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "CAP_SYS_RESOURCE"));
}

TEST(attributes, the_oom_score_is_changed_only_if_it_is_given)
{
	unit_in_child(check_oom);
}

static void check_streams(void)
{
	struct stat st, before;
	int ends[2];
	char name[] = "/tmp/coso-streams.XXXXXX";
	own_fd int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), file = mkstemp(name);
	CU_ASSERT_EQUAL(unlockpt(pty), 0);
	own_fd int device = ioctl(pty, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CU_ASSERT_EQUAL(unlink(name), 0);
	CU_ASSERT_EQUAL(pipe(ends), 0);
	own_fd int saved = fcntl(2, F_DUPFD_CLOEXEC, 3);
	CU_ASSERT(fstat(device, &before) == 0 && before.st_uid != 4321);
	CU_ASSERT(dup2(device, 0) == 0 && dup2(ends[1], 1) == 1 && dup2(file, 2) == 2);
	CU_ASSERT_EQUAL(attributes_give_streams(4321, getgid(), NULL), 0);
	CU_ASSERT(fstat(0, &st) == 0 && st.st_uid == before.st_uid);
	CU_ASSERT(fstat(1, &st) == 0 && st.st_uid == 4321 && st.st_gid == getegid());
	CU_ASSERT(fstat(2, &st) == 0 && st.st_uid == 4321);
	close(0); // which is no error
	// The id isn't in the namespace's map, and then there is no right to the file.
	CU_ASSERT_EQUAL(unshare(CLONE_NEWUSER), 0);
	CU_ASSERT_EQUAL(attributes_give_streams(1, getgid(), NULL), 0);
	dup2(saved, 2);
}

TEST(attributes, streams_are_given_but_no_devices)
{
	if (!geteuid())
		unit_in_child(check_streams);
}

static void check_groups(void)
{
	const uint32_t two[] = { 11, 12 }, one[] = { 13 };
	struct spec spec = { 0 }, keep = { .process.keep_groups = true }, named = { .process.group_count = 1 };
	struct attributes a = prepared(&spec), keeps = prepared(&keep), names = prepared(&named);
	struct err err = { 0 };
	gid_t has[8] = { 0 };
	CU_ASSERT_EQUAL(attributes_set_groups(&a, two, 2, false, &err), 0);
	CU_ASSERT(getgroups(8, has) == 2 && has[0] == 11 && has[1] == 12);
	CU_ASSERT_EQUAL(attributes_set_groups(&keeps, one, 1, false, &err), 0);
	CU_ASSERT_EQUAL(attributes_set_groups(&a, one, 1, true, &err), 0);
	CU_ASSERT_EQUAL(attributes_set_groups(&names, one, 1, true, &err), -1);
	CU_ASSERT_EQUAL(err.code, EPERM);
	CU_ASSERT_EQUAL(getgroups(8, has), 2);
	CU_ASSERT_EQUAL(attributes_set_groups(&names, one, 1, false, &err), 0);
	CU_ASSERT(getgroups(8, has) == 1 && has[0] == 13);
	CU_ASSERT_EQUAL(attributes_set_groups(&a, NULL, 0, false, &err), 0);
	CU_ASSERT_EQUAL(getgroups(8, has), 0);
}

TEST(attributes, groups_are_exactly_those)
{
	if (!geteuid())
		unit_in_child(check_groups);
}
