// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_test.c - filters that a child really applies, and what its system calls then answer
#include "coso/launch/caps.h"
#include "coso/launch/seccomp.h"
#include "coso/launch/seccomp_builtin.h"
#include "coso/spec/capset.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

enum { PROBES_MAX = 64, NO_ANSWER = -1, X32 = 0x40000000 };

enum abi { NATIVE, INT80 };

// A call with arguments that do no harm, and the errno that it must give: SAME as without a filter, or a refusal's.
enum { SAME = -2 };
struct probe {
	const char *name;
	enum abi abi;
	long number;
	long args[5];
	int expected;
};

static int call_native(const struct probe *probe)
{
	long result = syscall(probe->number, probe->args[0], probe->args[1], probe->args[2], probe->args[3], probe->args[4]);

	return result < 0 ? errno : 0;
}

#ifdef __x86_64__
static int call_int80(const struct probe *probe)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(probe->number), "b"(probe->args[0]), "c"(probe->args[1]), "d"(probe->args[2]), "S"(probe->args[3]),
			   "D"(probe->args[4])
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result < 0 ? -(int)result : 0;
}
#else
static int call_int80(const struct probe *probe)
{
	return call_native(probe);
}
#endif

// Probes in a child, one answer each; a child that dies leaves the rest at NO_ANSWER.
static int ask(const struct seccomp *seccomp, const struct probe *probes, size_t count, int *answers)
{
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct err err = { 0 };
	int status = -1;

	for (size_t i = 0; i < count; i++)
		shared[i] = NO_ANSWER;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || (seccomp && seccomp_apply(seccomp, &err)))
			_exit(1);
		for (size_t i = 0; i < count; i++)
			shared[i] = probes[i].abi == INT80 ? call_int80(&probes[i]) : call_native(&probes[i]);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	for (size_t i = 0; i < count; i++)
		answers[i] = shared[i];
	munmap(shared, 4096);
	return status;
}

static void check(const struct seccomp *seccomp, const struct probe *probes, size_t count)
{
	int without[PROBES_MAX], with[PROBES_MAX];

	ask(NULL, probes, count, without);
	CU_ASSERT_EQUAL(ask(seccomp, probes, count, with), 0);
	for (size_t i = 0; i < count; i++) {
		int expected = probes[i].expected == SAME ? without[i] : probes[i].expected;

		if (with[i] != expected)
			printf("\n%s: %d instead of %d, %d without a filter", probes[i].name, with[i], expected, without[i]);
		CU_ASSERT_EQUAL(with[i], expected);
		// A probe that is refused anyway would prove nothing.
		CU_ASSERT(probes[i].expected == SAME || without[i] != expected || without[i] == ENOSYS);
		CU_ASSERT(without[i] != EPERM);
	}
}

static struct seccomp prepared(enum spec_seccomp kind, uint64_t bounding)
{
	struct spec_process process = { .seccomp = kind, .caps = { .bounding = bounding } };
	struct seccomp seccomp = { 0 };
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(seccomp_prepare(&process, -1, &seccomp, &err), 0);
	return seccomp;
}

#define CHECK(seccomp, probes) check(seccomp, probes, sizeof(probes) / sizeof *(probes))
// clang-format off
#define P(call, expected, ...) { #call, NATIVE, SYS_##call, { __VA_ARGS__ }, expected }
// clang-format on

enum { BAD = -1, OF_CLONE_INVALID = CLONE_SIGHAND }; // CLONE_SIGHAND without CLONE_VM: EINVAL

static const struct probe for_default[] = {
	P(getpid, SAME, 0),
	P(openat, SAME, BAD, 0),
	P(ptrace, SAME, BAD, 0),
	P(chroot, SAME, 0),
	P(keyctl, EPERM, 1000),
	P(add_key, EPERM, 0),
	P(request_key, EPERM, 0),
	P(userfaultfd, EPERM, BAD),
	P(mount, EPERM, 0, 0, 0),
	P(unshare, EPERM, 0),
	P(setns, EPERM, BAD, 0),
	P(bpf, EPERM, BAD, 0),
	P(perf_event_open, EPERM, 0),
	P(open_by_handle_at, EPERM, BAD, 0),
	P(kcmp, EPERM, BAD, 0),
	P(clone, EPERM, CLONE_NEWUSER | OF_CLONE_INVALID),
	P(clone, EPERM, CLONE_NEWNET | OF_CLONE_INVALID),
	P(clone, SAME, OF_CLONE_INVALID),
	{ "clone3", NATIVE, 435, { 0, 0 }, ENOSYS },
	{ "io_uring_setup", NATIVE, 425, { 0, 0 }, EPERM },
	P(socket, SAME, AF_UNIX, BAD, 0),
	P(socket, SAME, AF_NETLINK, BAD, 0),
	P(socket, EPERM, AF_ALG, BAD, 0),
	P(socket, SAME, 39, BAD, 0),
	P(socket, EPERM, AF_VSOCK, BAD, 0),
	P(socket, SAME, 41, BAD, 0),
	P(personality, SAME, 0xffffffff),
	P(personality, SAME, 0),
	P(personality, EPERM, 0x40000),
	{ "fchmodat2", NATIVE, 452, { BAD, 0, 0, 0 }, SAME },
	{ "mseal", NATIVE, 462, { 1, 0, 0, 0 }, SAME },
	{ "removexattrat", NATIVE, 466, { BAD, 0, 0, 0 }, SAME },
	{ "lsm_get_self_attr", NATIVE, 459, { 0, 0, 0, 0 }, EPERM },
	{ "open_tree_attr", NATIVE, 467, { BAD, 0, BAD, 0 }, ENOSYS },
	{ "a call to come", NATIVE, 600, { 0 }, ENOSYS },
	{ "the last number", NATIVE, 0x3fffffff, { 0 }, ENOSYS },
};

TEST(seccomp, default_refuses_what_docker_refuses)
{
	struct seccomp seccomp = prepared(SPEC_SECCOMP_DEFAULT, capset_default().bounding);

	CU_ASSERT_STRING_EQUAL(seccomp.origin, "built-in");
	CU_ASSERT_PTR_NULL(seccomp.owned);
	CHECK(&seccomp, for_default);
	seccomp_free(&seccomp);
}

#ifdef __x86_64__
static const struct probe for_32_bits[] = {
	{ "getpid", INT80, 20, { 0 }, SAME },
	{ "socketcall", INT80, 102, { BAD, 0 }, SAME },
	{ "keyctl", INT80, 288, { 1000 }, EPERM },
	{ "mount", INT80, 21, { 0, 0, 0 }, EPERM },
	{ "unshare", INT80, 310, { 0 }, EPERM },
	{ "clone", INT80, 120, { CLONE_NEWUSER | OF_CLONE_INVALID }, EPERM },
	{ "clone", INT80, 120, { OF_CLONE_INVALID }, SAME },
	{ "clone3", INT80, 435, { 0, 0 }, ENOSYS },
	{ "socket", INT80, 359, { AF_UNIX, BAD }, SAME },
	{ "socket", INT80, 359, { AF_VSOCK, BAD }, EPERM },
	{ "fchmodat2", INT80, 452, { BAD, 0, 0, 0 }, SAME },
	{ "a call to come", INT80, 600, { 0 }, ENOSYS },
	{ "a number of x32", INT80, X32 | 20, { 0 }, ENOSYS },
};

static const struct probe for_x32[] = {
	{ "keyctl", NATIVE, X32 | 250, { 1000 }, EPERM },
	{ "mount", NATIVE, X32 | 165, { 0, 0, 0 }, EPERM },
	{ "clone", NATIVE, X32 | 56, { CLONE_NEWUSER | OF_CLONE_INVALID }, EPERM },
	{ "clone3", NATIVE, X32 | 435, { 0 }, ENOSYS },
	{ "getpid", NATIVE, X32 | 39, { 0 }, SAME },
	{ "a call to come", NATIVE, X32 | 600, { 0 }, ENOSYS },
};

TEST(seccomp, default_holds_for_32_bit_programs)
{
	struct seccomp seccomp = prepared(SPEC_SECCOMP_DEFAULT, capset_default().bounding);
	int answer;

	CHECK(&seccomp, for_x32);
	if (ask(NULL, for_32_bits, 1, &answer) || answer)
		printf("skipped: this kernel runs no 32-bit programs (CONFIG_IA32_EMULATION) ");
	else
		CHECK(&seccomp, for_32_bits);
	seccomp_free(&seccomp);
}
#endif

static const struct probe for_sys_admin[] = {
	P(mount, SAME, 0, 0, 0),
	P(unshare, SAME, 0),
	P(setns, SAME, BAD, 0),
	P(bpf, SAME, BAD, 0),
	P(clone, SAME, CLONE_NEWUSER | OF_CLONE_INVALID),
	{ "clone3", NATIVE, 435, { 0, 0 }, SAME },
	P(keyctl, EPERM, 1000),
	P(open_by_handle_at, EPERM, BAD, 0),
	P(socket, EPERM, AF_VSOCK, BAD, 0),
	{ "a call to come", NATIVE, 600, { 0 }, ENOSYS },
};

static const struct probe for_nothing[] = {
	P(getpid, SAME, 0),
	P(chroot, EPERM, 0),
	P(mount, EPERM, 0, 0, 0),
};

static const struct probe for_all[] = {
	P(chroot, SAME, 0),
	P(mount, SAME, 0, 0, 0),
	P(kcmp, SAME, BAD, 0),
	P(open_by_handle_at, SAME, BAD, 0),
	P(set_mempolicy, SAME, BAD, 0),
	P(keyctl, EPERM, 1000),
};

static const struct probe for_bpf_and_nice[] = {
	P(bpf, SAME, BAD, 0),
	P(set_mempolicy, SAME, BAD, 0),
	P(mount, EPERM, 0, 0, 0),
	P(kcmp, EPERM, BAD, 0),
};

TEST(seccomp, default_follows_the_capabilities)
{
	struct seccomp admin = prepared(SPEC_SECCOMP_DEFAULT, capset_default().bounding | BIT(CAP_SYS_ADMIN));
	struct seccomp none = prepared(SPEC_SECCOMP_DEFAULT, BIT(CAP_NET_ADMIN));
	struct seccomp all = prepared(SPEC_SECCOMP_DEFAULT, capset_all());
	struct seccomp two = prepared(SPEC_SECCOMP_DEFAULT, BIT(39) | BIT(CAP_SYS_NICE));

	CHECK(&admin, for_sys_admin);
	CHECK(&none, for_nothing);
	CHECK(&all, for_all);
	CHECK(&two, for_bpf_and_nice);
	CU_ASSERT_STRING_EQUAL(admin.origin, "built-in");
	CU_ASSERT_STRING_EQUAL(none.origin, "built-in");
	CU_ASSERT_STRING_EQUAL(all.origin, "built-in");
	CU_ASSERT_STRING_EQUAL(two.origin, "compiled");
	seccomp_free(&two);
	CU_ASSERT_PTR_NULL(two.owned);
}

TEST(seccomp, any_one_capability_more_is_built_in)
{
	for (int number = 0; number < CAPSET_NAMED; number++) {
		struct seccomp seccomp = prepared(SPEC_SECCOMP_DEFAULT, capset_default().bounding | BIT(number));

		CU_ASSERT_STRING_EQUAL(seccomp.origin, "built-in");
		seccomp_free(&seccomp);
	}
}

static const struct probe for_barco[] = {
	P(getpid, SAME, 0),
	P(mount, SAME, 0, 0, 0),
	P(fchmod, SAME, BAD, 0755),
	P(fchmod, EPERM, BAD, 04755),
	P(fchmod, EPERM, BAD, 02755),
	P(fchmod, EPERM, BAD, 06755),
	P(fchmodat, EPERM, BAD, 0, S_ISUID),
	P(fchmodat, SAME, BAD, 0, 0644),
	P(unshare, SAME, 0),
	P(unshare, EPERM, CLONE_NEWUSER | OF_CLONE_INVALID | CLONE_PTRACE),
	P(clone, EPERM, CLONE_NEWUSER | OF_CLONE_INVALID),
	P(clone, SAME, OF_CLONE_INVALID),
	P(ioctl, EPERM, BAD, 0x5412),
	P(ioctl, EPERM, BAD, (long)0xffffffff00005412),
	P(ioctl, SAME, BAD, 0x5413),
	P(keyctl, EPERM, 1000),
	P(add_key, EPERM, 0),
	P(ptrace, EPERM, BAD, 0),
	P(mbind, EPERM, 1, 0),
	P(userfaultfd, EPERM, BAD),
	P(perf_event_open, EPERM, 0),
	{ "clone3", NATIVE, 435, { 0, 0 }, ENOSYS },
	{ "fchmodat2", NATIVE, 452, { BAD, 0, 04755, 0 }, ENOSYS },
	{ "fchmodat2", NATIVE, 453, { 0 }, SAME },
};

TEST(seccomp, barco_refuses_its_list)
{
	struct seccomp seccomp = prepared(SPEC_SECCOMP_BARCO, capset_barco().bounding);

	CU_ASSERT_STRING_EQUAL(seccomp.origin, "built-in");
	CHECK(&seccomp, for_barco);
	seccomp_free(&seccomp);
}

static const struct probe for_unconfined[] = {
	P(keyctl, SAME, 1000),
	P(mount, SAME, 0, 0, 0),
};

TEST(seccomp, unconfined_is_no_filter)
{
	struct seccomp seccomp = prepared(SPEC_SECCOMP_UNCONFINED, 0);

	CU_ASSERT_EQUAL(seccomp.program.len, 0);
	CHECK(&seccomp, for_unconfined);
	seccomp_free(&seccomp);
}

static int applied_without_rights(void)
{
	struct seccomp seccomp = prepared(SPEC_SECCOMP_DEFAULT, 0);
	struct spec_caps none = { 0 };
	struct err err = { 0 };

	if (caps_apply(&none, &err) || seccomp_apply(&seccomp, &err) != -1)
		return 1;
	return err.code == EACCES && strstr(err.msg, "no_new_privs") ? 0 : 2;
}

TEST(seccomp, without_the_right_the_message_says_what_it_takes)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(applied_without_rights());
	waitpid(pid, &status, 0);
	CU_ASSERT_EQUAL(status, 0);
}
