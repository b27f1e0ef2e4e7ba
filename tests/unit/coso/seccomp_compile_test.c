// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_compile_test.c - compiled filters, for both machines and all their architectures, run by an interpreter of BPF
#include "coso/launch/seccomp_compile.h"
#include "coso/launch/seccomp_tables.h"
#include "shared/log.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

enum { NUMBERS = 700, X32 = 0x40000000, STUCK = 0x12345678, LINE = 200 };

#define BIT(number) (UINT64_C(1) << (number))

// What the kernel does with the instructions that libseccomp and the prologue use. STUCK: one that isn't among them.
static uint32_t run(const struct sock_fprog *program, uint32_t arch, uint32_t number, uint64_t argument)
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch, .args = { argument } };
	uint32_t a = 0;

	for (size_t i = 0; i < program->len; i++) {
		const struct sock_filter *code = &program->filter[i];

		switch (code->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (char *)&data + code->k, sizeof a);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= code->k;
			break;
		case BPF_JMP | BPF_JA:
			i += code->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == code->k ? code->jt : code->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			i += a > code->k ? code->jt : code->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= code->k ? code->jt : code->jf;
			break;
		case BPF_RET | BPF_K:
			return code->k;
		default:
			return STUCK;
		}
	}
	return STUCK;
}

static uint32_t audit_of(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

// The numbers of some calls that libseccomp may not know, from the kernel's tables.
static int number_of(uint32_t arch, const char *name)
{
	static const char *const calls[] = { "cachestat",         "fchmodat2",         "map_shadow_stack", "futex_wake",
					     "futex_wait",        "futex_requeue",     "statmount",        "listmount",
					     "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", "mseal",
					     "setxattrat",        "getxattrat",        "listxattrat",      "removexattrat",
					     "open_tree_attr",    "file_getattr",      "file_setattr" };
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	if (arch == SCMP_ARCH_X32 && !strcmp(name, "map_shadow_stack"))
		return -1; // x32 has no shadow stacks
	for (int i = 0; number < 0 && i < (int)(sizeof calls / sizeof *calls); i++)
		if (!strcmp(calls[i], name))
			number = 451 + i;
	if (number < 0 && !strcmp(name, "uretprobe") && arch == SCMP_ARCH_X86_64)
		number = 335;
	return number < 0 ? number : number & ~X32;
}

// Calls that x86 has both in socketcall or ipc, by whose part libseccomp numbers them, and as calls of their own.
static int x86_direct(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} calls[] = { { "recvmmsg", 337 },   { "sendmmsg", 345 },   { "socket", 359 },      { "socketpair", 360 },
		      { "bind", 361 },       { "connect", 362 },    { "listen", 363 },      { "accept4", 364 },
		      { "getsockopt", 365 }, { "setsockopt", 366 }, { "getsockname", 367 }, { "getpeername", 368 },
		      { "sendto", 369 },     { "sendmsg", 370 },    { "recvfrom", 371 },    { "recvmsg", 372 },
		      { "shutdown", 373 },   { "semget", 393 },     { "semctl", 394 },      { "shmget", 395 },
		      { "shmctl", 396 },     { "shmat", 397 },      { "shmdt", 398 },       { "msgget", 399 },
		      { "msgsnd", 400 },     { "msgrcv", 401 },     { "msgctl", 402 } };

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	return -1;
}

// What a profile says of every number on one architecture; calls with conditions are left out (STUCK).
static void expect(const struct seccomp_profile *profile, uint32_t arch, uint32_t expected[NUMBERS])
{
	int highest = 0;

	for (int i = 0; i < NUMBERS; i++)
		expected[i] = profile->default_action;
	for (size_t i = 0; i < profile->rule_count; i++)
		for (size_t n = 0; n < profile->rules[i].names.count; n++) {
			const struct seccomp_rule *rule = &profile->rules[i];
			int number = number_of(arch, rule->names.items[n]);

			if (arch == SCMP_ARCH_X86 && number < 0)
				number = x86_direct(rule->names.items[n]);
			if (number < 0 || number >= NUMBERS)
				continue;
			expected[number] = rule->condition_count ? STUCK : rule->action;
			highest = number > highest ? number : highest;
		}
	for (int i = highest + 1; i < NUMBERS; i++)
		expected[i] = SCMP_ACT_ERRNO(ENOSYS);
}

static void check_default(uint32_t machine, uint64_t caps)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct sock_fprog program;
	uint32_t expected[NUMBERS];
	struct err err = { 0 };
	size_t wrong = 0;

	seccomp_tables_default(&profile, &arena, machine, caps);
	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, &err), 0);
	for (size_t i = 0; i < profile.arch_count; i++) {
		uint32_t arch = profile.archs[i], bit = arch == SCMP_ARCH_X32 ? X32 : 0;

		expect(&profile, arch, expected);
		for (uint32_t number = 0; number < NUMBERS; number++)
			if (expected[number] != STUCK)
				wrong += run(&program, audit_of(arch), number | bit, 0) != expected[number];
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_PPC, 1, 0), SECCOMP_RET_KILL_THREAD);
}

TEST(seccomp_compile, every_number_answers_as_the_profile_says)
{
	const uint64_t caps[] = { 0, BIT(CAP_SYS_CHROOT), BIT(CAP_SYS_ADMIN), ~UINT64_C(0) };

	for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
		check_default(SCMP_ARCH_X86_64, caps[i]);
		check_default(SCMP_ARCH_AARCH64, caps[i]);
	}
}

TEST(seccomp_compile, arms_private_calls_are_not_newer)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct sock_fprog program;

	seccomp_tables_default(&profile, &arena, SCMP_ARCH_AARCH64, 0);
	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_ARM, 0xf0005, 0), SCMP_ACT_ALLOW);        // set_tls
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_ARM, 0xf0003, 0), SCMP_ACT_ERRNO(EPERM)); // usr26
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_ARM, 600, 0), SCMP_ACT_ERRNO(ENOSYS));
}

// A profile for x86_64 alone with one rule.
static struct seccomp_profile simple(struct arena *arena, uint32_t default_action, const char *names, uint32_t action)
{
	struct seccomp_profile profile;

	seccomp_profile_init(&profile, arena, SCMP_ARCH_X86_64, false);
	profile.default_action = default_action;
	seccomp_profile_add_rule(&profile, action, "rule")->names = str_split(arena, names, ' ');
	return profile;
}

TEST(seccomp_compile, calls_newer_than_libseccomp_are_refused_where_asked)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ALLOW, "mseal file_setattr uretprobe keyctl", SCMP_ACT_ERRNO(5));
	struct sock_fprog program;

	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 462, 0), SCMP_ACT_ERRNO(5));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 469, 0), SCMP_ACT_ERRNO(5));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 335, 0), SCMP_ACT_ERRNO(5));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 250, 0), SCMP_ACT_ERRNO(5));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 463, 0), SCMP_ACT_ALLOW);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 600, 0), SCMP_ACT_ALLOW);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, X32 | 462, 0), SECCOMP_RET_KILL_THREAD); // x32 isn't in the profile
}

TEST(seccomp_compile, what_is_newer_than_the_profile_is_not_there)
{
	own_arena struct arena arena = { 0 };
	const uint32_t defaults[] = { SCMP_ACT_KILL_PROCESS, SCMP_ACT_TRAP, SCMP_ACT_LOG, SCMP_ACT_TRACE(7) };
	const uint32_t newer[] = { SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_LOG, SCMP_ACT_TRACE(7) };

	for (size_t i = 0; i < 4; i++) {
		struct seccomp_profile profile = simple(&arena, defaults[i], "mseal read", SCMP_ACT_ALLOW);
		struct sock_fprog program;

		CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 0, 0), SCMP_ACT_ALLOW);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 1, 0), defaults[i]);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 461, 0), defaults[i]);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 462, 0), SCMP_ACT_ALLOW);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 463, 0), newer[i]);
	}
}

static void take_line(enum log_level level, const char *line, void *data)
{
	(void)level;
	snprintf(data, LINE, "%s", line);
}

TEST(seccomp_compile, an_unknown_name_is_told_where_it_would_be_permitted)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile denies = simple(&arena, SCMP_ACT_ALLOW, "no_such_call getppid", SCMP_ACT_ERRNO(1));
	struct seccomp_profile allows = simple(&arena, SCMP_ACT_ERRNO(1), "no_such_call", SCMP_ACT_ALLOW);
	struct seccomp_profile kills = simple(&arena, SCMP_ACT_ERRNO(1), "no_such_call", SCMP_ACT_KILL_PROCESS);
	struct sock_fprog program;
	char line[LINE] = "";

	log_redirect(take_line, line);
	CU_ASSERT_EQUAL(seccomp_compile(&allows, &program, NULL), 0);
	CU_ASSERT_EQUAL(seccomp_compile(&kills, &program, NULL), 0);
	CU_ASSERT_STRING_EQUAL(line, "");
	CU_ASSERT_EQUAL(seccomp_compile(&denies, &program, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(line, "rule: system call 'no_such_call' isn't refused"));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, SYS_getppid, 0), SCMP_ACT_ERRNO(1));
	log_redirect(NULL, NULL);
}

TEST(seccomp_compile, a_name_that_nobody_knows_is_an_error_if_asked_for)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ERRNO(1), "no_such_call", SCMP_ACT_ALLOW);
	struct sock_fprog program;
	struct err err;
	size_t lax_size, strict_size;
	seccomp_profile_key(&profile, &lax_size);
	profile.strict = true;
	seccomp_profile_key(&profile, &strict_size);
	CU_ASSERT_NOT_EQUAL(lax_size, strict_size); // else the cache would have it
	CU_ASSERT_EQUAL(seccomp_compile(&profile, &program, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "rule: system call 'no_such_call': libseccomp"));
}

TEST(seccomp_compile, of_two_rules_for_one_call_the_first_holds)
{
	own_arena struct arena arena = { 0 };
	const char *names = "read file_setattr"; // libseccomp's, and the prologue's
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ALLOW, names, SCMP_ACT_ERRNO(1));
	struct sock_fprog program;

	seccomp_profile_add_rule(&profile, SCMP_ACT_ERRNO(2), "again")->names = str_split(&arena, names, ' ');
	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 0, 0), SCMP_ACT_ERRNO(1));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 469, 0), SCMP_ACT_ERRNO(1));
}

TEST(seccomp_compile, two_actions_under_the_same_conditions_are_an_error)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ALLOW, "read", SCMP_ACT_ERRNO(1));
	struct sock_fprog program;
	struct err err = { 0 };

	seccomp_profile_add_rule(&profile, SCMP_ACT_ERRNO(2), "again")->names = str_split(&arena, "read", ' ');
	for (size_t i = 0; i < 2; i++) {
		profile.rules[i].conditions[0] = (struct seccomp_condition){ 0, SCMP_CMP_EQ, 1, 0 };
		profile.rules[i].condition_count = 1;
	}
	CU_ASSERT_EQUAL(seccomp_compile(&profile, &program, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "again: system call 'read'"));
}

TEST(seccomp_compile, conditions_on_one_argument_mean_any_of_them)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ERRNO(1), "socket", SCMP_ACT_ALLOW);
	struct sock_fprog program;

	profile.rules[0].conditions[0] = (struct seccomp_condition){ 0, SCMP_CMP_EQ, 1, 0 };
	profile.rules[0].conditions[1] = (struct seccomp_condition){ 0, SCMP_CMP_EQ, 2, 0 };
	profile.rules[0].condition_count = 2;
	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 41, 1), SCMP_ACT_ALLOW);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 41, 2), SCMP_ACT_ALLOW);
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 41, 3), SCMP_ACT_ERRNO(1));
	CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_X86_64, 41, BIT(32) | 1), SCMP_ACT_ERRNO(1));
}

TEST(seccomp_compile, sockets_by_family)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct sock_fprog program;

	seccomp_tables_default(&profile, &arena, SCMP_ARCH_AARCH64, 0);
	CU_ASSERT_EQUAL_FATAL(seccomp_compile(&profile, &program, NULL), 0);
	for (uint64_t family = 0; family < 64; family++) {
		uint32_t expected = family == 38 || family == 40 ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_ALLOW;

		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_AARCH64, 198, family), expected);
		CU_ASSERT_EQUAL(run(&program, AUDIT_ARCH_ARM, 281, family), expected);
	}
}

TEST(seccomp_compile, the_key_tells_profiles_apart)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile = simple(&arena, SCMP_ACT_ERRNO(1), "socket read", SCMP_ACT_ALLOW);
	size_t size, other_size;
	char *key = seccomp_profile_key(&profile, &size);

	CU_ASSERT_STRING_EQUAL(seccomp_profile_key(&profile, &other_size), key);
	CU_ASSERT_EQUAL(size, other_size);
	CU_ASSERT_EQUAL(size, strlen(key));
#define DIFFERS(field, new_value)                                                                                                  \
	do {                                                                                                                       \
		__typeof__(field) before = field;                                                                                  \
		(field) = (new_value);                                                                                             \
		CU_ASSERT_STRING_NOT_EQUAL(seccomp_profile_key(&profile, &other_size), key);                                       \
		(field) = before;                                                                                                  \
	} while (0)
	DIFFERS(profile.default_action, SCMP_ACT_ERRNO(2));
	DIFFERS(profile.archs[0], SCMP_ARCH_AARCH64);
	DIFFERS(profile.arch_count, 2);
	DIFFERS(profile.rules[0].action, SCMP_ACT_LOG);
	DIFFERS(profile.rules[0].names, str_split(&arena, "socket", ' '));
	DIFFERS(profile.rules[0].condition_count, 1);
	profile.rules[0].condition_count = 1;
	key = seccomp_profile_key(&profile, &size);
	DIFFERS(profile.rules[0].conditions[0].index, 1);
	DIFFERS(profile.rules[0].conditions[0].op, SCMP_CMP_GT);
	DIFFERS(profile.rules[0].conditions[0].value, BIT(63));
	DIFFERS(profile.rules[0].conditions[0].value_two, 1);
}
