// SPDX-License-Identifier: GPL-2.0-or-later
// cgroup_devices_test.c - device rules become v1's lists, and a program that decides as the rules do
#include "coso/cgroup/devices.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define RULES(...)                                                                                                                 \
	(struct spec_device_rule[])                                                                                                \
	{                                                                                                                          \
		__VA_ARGS__                                                                                                        \
	}
#define COUNT(...) (sizeof((struct spec_device_rule[]){ __VA_ARGS__ }) / sizeof(struct spec_device_rule))

static const char *reduced(struct arena *arena, const struct spec_device_rule *rules, size_t count)
{
	struct devices_list list;
	struct err err;
	if (devices_reduce(arena, rules, count, &list, &err) < 0)
		return arena_strdup(arena, err.msg);
	const char *text = list.allowed ? "allowed" : "denied";
	for (size_t i = 0; i < list.count; i++) {
		CU_ASSERT_EQUAL(list.items[i].allow, !list.allowed);
		text = arena_printf(arena, "%s, %c %lld:%lld %s", text, list.items[i].type, (long long)list.items[i].major,
				    (long long)list.items[i].minor, list.items[i].access);
	}
	return text;
}

#define CHECK_REDUCED(expected, ...)                                                                                               \
	do {                                                                                                                       \
		struct arena arena = { 0 };                                                                                        \
		CU_ASSERT_STRING_EQUAL(reduced(&arena, RULES(__VA_ARGS__), COUNT(__VA_ARGS__)), expected);                         \
		arena_free(&arena);                                                                                                \
	} while (0)

TEST(cgroup_devices, lists_of_v1)
{
	CHECK_REDUCED("denied", { false, 'a', -1, -1, "rwm" });
	CHECK_REDUCED("allowed", { false, 'a', -1, -1, "rwm" }, { true, 'a', -1, -1, "mwr" });
	CHECK_REDUCED("denied, c -1:-1 m, c 1:3 rwm", { false, 'a', -1, -1, "rwm" }, { true, 'c', -1, -1, "m" },
		      { true, 'c', 1, 3, "mr" }, { true, 'c', 1, 3, "w" });
	CHECK_REDUCED("denied, c 1:3 r", { false, 'a', -1, -1, "rwm" }, { true, 'c', 1, 3, "rw" }, { false, 'c', 1, -1, "w" });
	CHECK_REDUCED("denied", { false, 'a', -1, -1, "rwm" }, { true, 'b', 8, 1, "rw" }, { false, 'a', 8, -1, "rw" });
	CHECK_REDUCED("denied, b 8:1 rw", { false, 'a', -1, -1, "rwm" }, { true, 'b', 8, 1, "rw" }, { false, 'c', 8, 1, "rw" });
	CHECK_REDUCED("allowed, b -1:-1 w, c -1:-1 w", { false, 'a', -1, -1, "w" });
	CHECK_REDUCED("allowed, c 5:1 rw", { false, 'c', 5, 1, "wr" });
	CHECK_REDUCED("denied, c 5:-1 rw", { false, 'a', -1, -1, "rwm" }, { true, 'c', 5, -1, "rw" }, { false, 'c', 5, 1, "m" });
	CHECK_REDUCED("device rule 'c 5:1 w': cgroup v1 can't make an exception from the wider 'c 5:* rw' before it",
		      { false, 'a', -1, -1, "rwm" }, { true, 'c', 5, -1, "rw" }, { false, 'c', 5, 1, "w" });
	CHECK_REDUCED("device rule 'b 5:* r': cgroup v1 can't make an exception from the wider 'b *:1 r' before it",
		      { false, 'a', -1, -1, "rwm" }, { true, 'b', -1, 1, "r" }, { false, 'b', 5, -1, "r" });
}

TEST(cgroup_devices, bad_rules)
{
	struct err err = { 0 };
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'p', 1, 1, "r" }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', 1, 1, "rx" }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', 1, 1, "" }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', 1, 1, NULL }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', -2, 1, "r" }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', 1, INT64_C(1) << 32, "r" }), 1, &err), -1);
	CU_ASSERT_EQUAL(devices_check(RULES({ true, 'c', 1, UINT32_MAX, "r" }, { false, 'a', -1, -1, "rwm" }), 2, &err), 0);
}

// Runs a program as the kernel would; only the instructions that devices.c uses are known.
static int run_program(const struct bpf_insn *insns, size_t count, const struct bpf_cgroup_dev_ctx *context)
{
	uint32_t r[11] = { 0 };
	for (size_t at = 0, steps = 0; at < count && steps < 10000; at++, steps++) {
		const struct bpf_insn *insn = &insns[at];
		uint32_t value = BPF_SRC(insn->code) == BPF_X ? r[insn->src_reg] : (uint32_t)insn->imm;
		bool jump = false;
		switch (insn->code & ~BPF_X) {
		case BPF_LDX | BPF_MEM | BPF_W:
			memcpy(&r[insn->dst_reg], (const char *)context + insn->off, 4);
			continue;
		case BPF_ALU | BPF_MOV:
		case BPF_ALU64 | BPF_MOV:
			r[insn->dst_reg] = value;
			continue;
		case BPF_ALU | BPF_AND:
			r[insn->dst_reg] &= value;
			continue;
		case BPF_ALU | BPF_RSH:
			r[insn->dst_reg] >>= value;
			continue;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		case BPF_JMP | BPF_JA:
			jump = true;
			break;
		case BPF_JMP32 | BPF_JNE:
			jump = r[insn->dst_reg] != value;
			break;
		case BPF_JMP32 | BPF_JSET:
			jump = r[insn->dst_reg] & value;
			break;
		default:
			return -1;
		}
		at += jump ? (size_t)insn->off : 0;
	}
	return -2;
}

// The rules by their definition: each bit of access by the last rule that names it.
static bool allowed(const struct spec_device_rule *rules, size_t count, char type, uint32_t major, uint32_t minor,
		    unsigned int access)
{
	static const char letters[] = { 'm', 'r', 'w' };
	for (int bit = 0; bit < 3; bit++) {
		bool allow = true;
		for (size_t i = 0; i < count; i++)
			if ((rules[i].type == 'a' || rules[i].type == type) && (rules[i].major < 0 || rules[i].major == major) &&
			    (rules[i].minor < 0 || rules[i].minor == minor) && strchr(rules[i].access, letters[bit]))
				allow = rules[i].allow;
		if (access & 1U << bit && !allow)
			return false;
	}
	return true;
}

TEST(cgroup_devices, the_program_decides_as_the_rules_do)
{
	static const char *const accesses[] = { "r", "w", "m", "rw", "rm", "wm", "rwm" };
	struct arena arena = { 0 };
	unsigned int seed = 20;
	int wrong = 0;
	for (int turn = 0; turn < 500; turn++) {
		struct spec_device_rule rules[12];
		size_t count = (size_t)rand_r(&seed) % 13;
		for (size_t i = 0; i < count; i++)
			rules[i] = (struct spec_device_rule){ rand_r(&seed) % 2, "abc"[rand_r(&seed) % 3], rand_r(&seed) % 3 - 1,
							      rand_r(&seed) % 3 - 1, accesses[rand_r(&seed) % 7] };
		struct bpf_insn *insns;
		size_t length = devices_program(&arena, rules, count, &insns);
		for (unsigned int ask = 0; ask < 2 * 2 * 2 * 8; ask++) {
			struct bpf_cgroup_dev_ctx context = { (ask >> 3) << 16 | (1 + (ask & 1)), ask >> 1 & 1, ask >> 2 & 1 };
			int expected = allowed(rules, count, ask & 1 ? 'c' : 'b', context.major, context.minor, ask >> 3);
			wrong += run_program(insns, length, &context) != expected;
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
	arena_free(&arena);
}
