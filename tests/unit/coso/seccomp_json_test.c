// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_json_test.c - profiles in Docker's and the OCI's JSON: what is read, and what is wrong with the rest
#include "coso/launch/caps.h"
#include "coso/launch/seccomp.h"
#include "coso/launch/seccomp_json.h"
#include "coso/launch/seccomp_words.h"
#include "coso/spec/capset.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

static const struct seccomp_host host = { SCMP_ARCH_X86_64, BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL), 5, 10 };

static int reads(struct arena *arena, const char *text, struct seccomp_profile *profile, struct err *err)
{
	return seccomp_json_read(profile, arena, text, strlen(text), &host, err);
}

TEST(seccomp_json, an_oci_section)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(reads(&arena,
				    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
				    "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],"
				    "\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_TSYNC\"],\"listenerPath\":null,"
				    "\"syscalls\":[{\"names\":[\"read\",\"write\"],\"action\":\"SCMP_ACT_ALLOW\"},"
				    "{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":65535,\"args\":["
				    "{\"index\":5,\"value\":9223372036854775807,\"valueTwo\":3,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}",
				    &profile, &err),
			      0);
	CU_ASSERT_EQUAL(profile.default_action, SCMP_ACT_ERRNO(38));
	CU_ASSERT_EQUAL(profile.arch_count, 3);
	CU_ASSERT_EQUAL(profile.archs[0], SCMP_ARCH_X86_64);
	CU_ASSERT_EQUAL(profile.archs[2], SCMP_ARCH_X32);
	CU_ASSERT_EQUAL(profile.flags, SECCOMP_FILTER_FLAG_LOG);
	CU_ASSERT_EQUAL_FATAL(profile.rule_count, 2);
	CU_ASSERT_EQUAL(profile.rules[0].names.count, 2);
	CU_ASSERT_STRING_EQUAL(profile.rules[0].names.items[1], "write");
	CU_ASSERT_EQUAL(profile.rules[0].action, SCMP_ACT_ALLOW);
	CU_ASSERT_EQUAL(profile.rules[1].action, SCMP_ACT_TRACE(65535));
	CU_ASSERT_EQUAL_FATAL(profile.rules[1].condition_count, 1);
	CU_ASSERT_EQUAL(profile.rules[1].conditions[0].index, 5);
	CU_ASSERT_EQUAL(profile.rules[1].conditions[0].op, SCMP_CMP_MASKED_EQ);
	CU_ASSERT_EQUAL(profile.rules[1].conditions[0].value, INT64_MAX);
	CU_ASSERT_EQUAL(profile.rules[1].conditions[0].value_two, 3);
	CU_ASSERT_STRING_EQUAL(profile.rules[1].where, "syscalls[1]");
}

// A rule with `filter` in it: is it there?
static bool holds(const char *filter)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };
	char *text = arena_printf(&arena,
				  "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":"
				  "[{\"name\":\"read\",\"action\":\"SCMP_ACT_ALLOW\",%s}]}",
				  filter);

	CU_ASSERT_EQUAL_FATAL(reads(&arena, text, &profile, &err), 0);
	return profile.rule_count == 1;
}

TEST(seccomp_json, dockers_conditions)
{
	CU_ASSERT(holds("\"includes\":{},\"excludes\":null"));
	CU_ASSERT(holds("\"includes\":{\"caps\":[\"CAP_SYS_CHROOT\"]}"));
	CU_ASSERT(holds("\"includes\":{\"caps\":[\"CAP_SYS_CHROOT\",\"CAP_KILL\"]}"));
	CU_ASSERT(!holds("\"includes\":{\"caps\":[\"CAP_SYS_CHROOT\",\"CAP_BPF\"]}"));
	CU_ASSERT(!holds("\"includes\":{\"caps\":[\"CAP_OF_TOMORROW\"]}"));
	CU_ASSERT(!holds("\"excludes\":{\"caps\":[\"CAP_BPF\",\"CAP_KILL\"]}"));
	CU_ASSERT(holds("\"excludes\":{\"caps\":[\"CAP_BPF\"]}"));
	CU_ASSERT(holds("\"includes\":{\"arches\":[\"arm64\",\"amd64\"]}"));
	CU_ASSERT(!holds("\"includes\":{\"arches\":[\"arm64\"]}"));
	CU_ASSERT(!holds("\"excludes\":{\"arches\":[\"amd64\"]}"));
	CU_ASSERT(!holds("\"includes\":{\"arches\":[\"amd64\"],\"caps\":[\"CAP_BPF\"]}"));
	CU_ASSERT(holds("\"includes\":{\"minKernel\":\"4.8\"}"));
	CU_ASSERT(holds("\"includes\":{\"minKernel\":\"5.10\"}"));
	CU_ASSERT(!holds("\"includes\":{\"minKernel\":\"5.11\"}"));
	CU_ASSERT(!holds("\"includes\":{\"minKernel\":\"6.0\"}"));
	CU_ASSERT(!holds("\"excludes\":{\"minKernel\":\"5.10\"}"));
	CU_ASSERT(holds("\"excludes\":{\"minKernel\":\"5.11\"}"));
}

TEST(seccomp_json, dockers_map_of_machines)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(reads(&arena,
				    "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"archMap\":["
				    "{\"architecture\":\"SCMP_ARCH_OF_TOMORROW\",\"subArchitectures\":[\"SCMP_ARCH_NONE\"]},"
				    "{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":[\"SCMP_ARCH_ARM\"]},"
				    "{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}]}",
				    &profile, &err),
			      0);
	CU_ASSERT_EQUAL(profile.arch_count, 2);
	CU_ASSERT_EQUAL(profile.archs[1], SCMP_ARCH_X86);
	CU_ASSERT_EQUAL(profile.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	CU_ASSERT_EQUAL(profile.default_action, SCMP_ACT_ALLOW);
}

// config-linux.md, "Seccomp": each name is known, and those of other machines add nothing.
TEST(seccomp_json, architectures_of_every_machine)
{
	static const char *const all[] = {
		"X86",    "X86_64",   "X32",         "ARM",         "AARCH64", "MIPS",    "MIPS64", "MIPS64N32",
		"MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC",         "PPC64",   "PPC64LE", "S390",   "S390X",
		"PARISC", "PARISC64", "RISCV64",     "LOONGARCH64", "M68K",    "SH",      "SHEB",
	};
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };
	const char *list = "\"SCMP_ARCH_X86\"";

	CU_ASSERT_EQUAL(sizeof all / sizeof *all, 23);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		list = arena_printf(&arena, "%s,\"SCMP_ARCH_%s\"", list, all[i]);
	const char *text = arena_printf(&arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[%s]}", list);

	CU_ASSERT_EQUAL_FATAL(reads(&arena, text, &profile, &err), 0);
	CU_ASSERT_EQUAL(profile.arch_count, 3);
	const struct seccomp_host arm = { SCMP_ARCH_AARCH64, 0, 5, 10 };

	CU_ASSERT_EQUAL_FATAL(seccomp_json_read(&profile, &arena, text, strlen(text), &arm, &err), 0);
	CU_ASSERT_EQUAL(profile.arch_count, 2);
	CU_ASSERT_EQUAL(profile.archs[1], SCMP_ARCH_ARM);
}

TEST(seccomp_json, numbers_of_64_bits)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(
		reads(&arena,
		      "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_TRAP\","
		      "\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_MASKED_EQ\",\"value\":18446744073709551615,"
		      "\"valueTwo\":9223372036854775809}]}]}",
		      &profile, &err),
		0);
	CU_ASSERT_EQUAL(profile.rules[0].conditions[0].value, UINT64_MAX);
	CU_ASSERT_EQUAL(profile.rules[0].conditions[0].value_two, UINT64_C(9223372036854775809));
}

#define NOTIFY(text)                                                                                                               \
	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/run/listener\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\","         \
	"\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"" text "\"}]}"

TEST(seccomp_json, a_listener)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct seccomp seccomp = { 0 };
	struct err err = { 0 };

	CU_ASSERT_EQUAL_FATAL(reads(&arena, NOTIFY("SCMP_ACT_NOTIFY"), &profile, &err), 0);
	CU_ASSERT_TRUE(profile.notify);
	CU_ASSERT_EQUAL(profile.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
	CU_ASSERT_EQUAL(profile.rules[0].action, SCMP_ACT_NOTIFY);
	CU_ASSERT_EQUAL_FATAL(seccomp_prepare_profile(&profile, -1, &seccomp, &err), 0);
	CU_ASSERT_TRUE(seccomp.notify);
	seccomp_free(&seccomp);
	// Where nobody is notified, the path is ignored, and so is what goes with it.
	CU_ASSERT_EQUAL_FATAL(reads(&arena, NOTIFY("SCMP_ACT_TRAP"), &profile, &err), 0);
	CU_ASSERT_FALSE(profile.notify);
	CU_ASSERT_EQUAL(profile.flags, SECCOMP_FILTER_FLAG_LOG);
}

TEST(seccomp_json, words_are_listed)
{
	static const size_t counts[] = {
		[SECCOMP_WORDS_ACTIONS] = 9, [SECCOMP_WORDS_OPERATORS] = 7, [SECCOMP_WORDS_ARCHS] = 23, [SECCOMP_WORDS_FLAGS] = 4
	};
	own_arena struct arena arena = { 0 };
	uint32_t value;

	for (size_t kind = 0; kind < sizeof counts / sizeof *counts; kind++) {
		struct strv list = seccomp_words_list(&arena, (enum seccomp_words)kind);

		CU_ASSERT_EQUAL(list.count, counts[kind]);
		for (size_t i = 0; i < list.count; i++) {
			CU_ASSERT_TRUE(seccomp_words_find((enum seccomp_words)kind, list.items[i], &value));
			CU_ASSERT_TRUE(i == 0 || strcmp(list.items[i - 1], list.items[i]) < 0);
		}
	}
	CU_ASSERT_FALSE(seccomp_words_find(SECCOMP_WORDS_FLAGS, "SECCOMP_FILTER_FLAG_NEW_LISTENER", &value));
}

#define RULE(text)                                                                                                                 \
	"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}," text "]}"
#define ARG(text) RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" text "]}")
#define TOP(text) "{\"defaultAction\":\"SCMP_ACT_ERRNO\"," text "}"

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "", "line 1, column 0: not JSON" },
	{ "{", "not JSON" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\"} x", "not JSON" },
	{ "{\"a\":1,\"a\":2}", "not JSON: duplicate object key" },
	{ "[]", "the profile: is not a JSON object" },
	{ "{}", "defaultAction: is missing" },
	{ "{\"defaultAction\":7}", "defaultAction: 7 is not a string" },
	{ "{\"defaultAction\":\"ALLOW\"}", "defaultAction: \"ALLOW\" is unknown" },
	{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/l\"}",
	  "defaultAction: SCMP_ACT_NOTIFY cannot be used as default action" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}", "defaultErrnoRet: 1 goes with SCMP_ACT_ERRNO" },
	{ TOP("\"defaultErrnoRet\":4096"), "defaultErrnoRet: 4096 is out of range" },
	{ TOP("\"defaultErrnoRet\":-1"), "defaultErrnoRet: -1 is out of range" },
	{ TOP("\"defaultErrnoRet\":\"EPERM\""), "defaultErrnoRet: \"EPERM\" is not a number" },
	{ TOP("\"listenerPath\":7"), "listenerPath: 7 is not a string" },
	{ TOP("\"defaultErrnoRet\":18446744073709551615"), "defaultErrnoRet: 18446744073709551615 is out of range" },
	{ RULE("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}"), "listenerPath: is missing, and SCMP_ACT_NOTIFY" },
	{ RULE("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\"}],\"listenerPath\":\"\",\"x\":["),
	  "listenerPath: is missing" },
	{ RULE("{\"names\":[\"mkdir\",\"write\"],\"action\":\"SCMP_ACT_NOTIFY\"}],\"listenerPath\":\"/l\",\"x\":["),
	  "syscalls[1]: SCMP_ACT_NOTIFY cannot be used for the write syscall" },
	{ RULE("{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_NOTIFY\",\"errnoRet\":1}"), "syscalls[1].errnoRet: 1 goes with" },
	{ TOP("\"architectures\":\"x\""), "architectures: \"x\" is not an array" },
	{ TOP("\"architectures\":[\"SCMP_ARCH_X86_64\",\"x86\"]"), "architectures[1]: \"x86\" is unknown" },
	{ TOP("\"architectures\":[\"SCMP_ARCH_Z80\"]"), "architectures[0]: \"SCMP_ARCH_Z80\" is unknown" },
	{ TOP("\"architectures\":[7]"), "architectures[0]: 7 is not a string" },
	{ TOP("\"architectures\":[\"SCMP_ARCH_X86\"],\"archMap\":[{}]"), "archMap: and 'architectures' are both there" },
	{ TOP("\"archMap\":[{}]"), "archMap[0].architecture: is missing" },
	{ TOP("\"archMap\":[3]"), "archMap[0]: 3 is not an object" },
	{ TOP("\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"\"]}]"),
	  "archMap[0].subArchitectures[0]: \"\" is unknown" },
	{ TOP("\"flags\":[\"SECCOMP_FILTER_FLAG_NEW_LISTENER\"]"), "flags[0]: \"SECCOMP_FILTER_FLAG_NEW_LISTENER\" is unknown" },
	{ TOP("\"syscalls\":{}"), "syscalls: {} is not an array" },
	{ RULE("7"), "syscalls[1]: 7 is not an object" },
	{ RULE("{\"action\":\"SCMP_ACT_ALLOW\"}"), "syscalls[1]: names no system call" },
	{ RULE("{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}"), "syscalls[1]: names no system call" },
	{ RULE("{\"names\":[\"read\",1],\"action\":\"SCMP_ACT_ALLOW\"}"), "syscalls[1].names[1]: 1 is not a string" },
	{ RULE("{\"names\":\"read\"}"), "syscalls[1].names: \"read\" is not an array" },
	{ RULE("{\"name\":\"read\",\"names\":[\"write\"]}"), "syscalls[1]: has both 'name' and 'names'" },
	{ RULE("{\"names\":[\"read\"]}"), "syscalls[1].action: is missing" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":1}"), "syscalls[1].errnoRet: 1 goes with" },
	{ ARG("7"), "syscalls[1].args[0]: 7 is not an object" },
	{ ARG("{\"index\":0,\"value\":1}"), "syscalls[1].args[0].op: is missing" },
	{ ARG("{\"index\":0,\"value\":1,\"op\":\"EQ\"}"), "syscalls[1].args[0].op: \"EQ\" is unknown" },
	{ ARG("{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "syscalls[1].args[0].index: 6 is out of range" },
	{ ARG("{\"value\":1,\"op\":\"SCMP_CMP_EQ\"}"), "syscalls[1].args[0].index: is missing" },
	{ ARG("{\"index\":1,\"op\":\"SCMP_CMP_EQ\"}"), "syscalls[1].args[0].value: is missing" },
	{ ARG("{\"index\":1,\"value\":-1,\"op\":\"SCMP_CMP_EQ\"}"), "syscalls[1].args[0].value: -1 is out of range" },
	{ ARG("{\"index\":1,\"value\":1.5,\"op\":\"SCMP_CMP_EQ\"}"), "syscalls[1].args[0].value: 1.5 is not a number" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[1,1,1,1,1,1,1]}"), "args: has more than 6" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":[]}"),
	  "syscalls[1].includes: [] is not an object" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[1]}}"),
	  "syscalls[1].includes.caps[0]: 1 is not a string" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":{\"arches\":1}}"),
	  "syscalls[1].excludes.arches: 1 is not an array" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":\"4\"}}"),
	  "syscalls[1].includes.minKernel: \"4\" is not a kernel version" },
	{ RULE("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"minKernel\":4.8}}"), "minKernel: 4.8" },
};

TEST(seccomp_json, whatever_is_wrong_is_named_by_place_and_value)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		own_arena struct arena arena = { 0 };
		struct seccomp_profile profile = { .flags = 77 };
		struct err err = { 0 };

		CU_ASSERT_EQUAL(reads(&arena, wrong[i].text, &profile, &err), -1);
		CU_ASSERT_EQUAL(profile.flags, 77);
		if (!strstr(err.msg, wrong[i].message))
			printf("\n'%s' isn't in '%s'", wrong[i].message, err.msg);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, wrong[i].message));
	}
}

TEST(seccomp_json, every_prefix_of_a_profile_is_an_error)
{
	static const char whole[] = ARG("{\"index\":1,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}");
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;

	CU_ASSERT_EQUAL(seccomp_json_read(&profile, &arena, whole, strlen(whole), &host, NULL), 0);
	for (size_t size = 0; size < strlen(whole); size++)
		CU_ASSERT_EQUAL(seccomp_json_read(&profile, &arena, whole, size, &host, NULL), -1);
}

TEST(seccomp_json, too_many_names)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct err err = { 0 };
	size_t count = SECCOMP_NAMES_MAX + 1, used = 0;
	char *text = arena_alloc(&arena, count * 8 + 256);

	used += (size_t)snprintf(text, 128,
				 "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, 16, "\"read\"%s", i + 1 < count ? "," : "]}]}");
	CU_ASSERT_EQUAL(reads(&arena, text, &profile, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "names[16384]: is one system call too many"));
}

TEST(seccomp_json, the_host_is_this_one)
{
	struct seccomp_host here;

	seccomp_json_host(&here, 5);
	CU_ASSERT(here.kernel >= 5 && here.kernel < 100);
	CU_ASSERT(here.major < 1000);
	CU_ASSERT_EQUAL(here.arch, seccomp_arch_native());
	CU_ASSERT_EQUAL(here.caps, 5);
}

// What becomes of a --seccomp FILE; the file is `path`.
static int prepares(const char *path, struct seccomp *seccomp, struct err *err)
{
	struct spec_process process = { .seccomp = SPEC_SECCOMP_FILE, .seccomp_file = path, .caps = capset_default() };

	return seccomp_prepare(&process, -1, seccomp, err);
}

TEST(seccomp_json, a_file_that_is_none)
{
	char folder[] = "/tmp/seccomp-test.XXXXXX", path[64];
	struct seccomp seccomp = { 0 };
	struct err err = { 0 };

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/profile", folder);
	CU_ASSERT_EQUAL(prepares(path, &seccomp, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, path));
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(prepares(folder, &seccomp, &err), -1);
	CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	CU_ASSERT_EQUAL(prepares(path, &seccomp, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not a regular file"));
	unlink(path);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CU_ASSERT_EQUAL(write(fd, "{}", 2), 2);
	CU_ASSERT_EQUAL(prepares(path, &seccomp, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "defaultAction: is missing"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, path));
	CU_ASSERT_EQUAL(pwrite(fd, NOTIFY("SCMP_ACT_NOTIFY"), strlen(NOTIFY("SCMP_ACT_NOTIFY")), 0),
			(ssize_t)strlen(NOTIFY("SCMP_ACT_NOTIFY")));
	CU_ASSERT_EQUAL(prepares(path, &seccomp, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "a listener is for OCI containers only"));
	CU_ASSERT_EQUAL(ftruncate(fd, 2 << 20), 0);
	CU_ASSERT_EQUAL(prepares(path, &seccomp, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "larger than"));
	CU_ASSERT_PTR_NULL(seccomp.owned);
	close(fd);
	unlink(path);
	rmdir(folder);
}
