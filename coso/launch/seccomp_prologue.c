// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_prologue.c - BPF for system calls newer than libseccomp, and newer than the profile

#include "coso/launch/seccomp_prologue.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

enum {
	X32_BIT = 0x40000000,   // set in the numbers of x32, whose audit architecture is that of x86_64
	ARM_PRIVATE = 0x0f0000, // arm's own calls lie above all others
};

static const struct seccomp_newer newer[] = {
	{ "uretprobe", 335, SCMP_ARCH_X86_64 },
	{ "uprobe", 336, SCMP_ARCH_X86_64 },
	{ "cachestat", 451, 0 },
	{ "fchmodat2", 452, 0 },
	{ "map_shadow_stack", 453, 0 },
	{ "futex_wake", 454, 0 },
	{ "futex_wait", 455, 0 },
	{ "futex_requeue", 456, 0 },
	{ "statmount", 457, 0 },
	{ "listmount", 458, 0 },
	{ "lsm_get_self_attr", 459, 0 },
	{ "lsm_set_self_attr", 460, 0 },
	{ "lsm_list_modules", 461, 0 },
	{ "mseal", 462, 0 },
	{ "setxattrat", 463, 0 },
	{ "getxattrat", 464, 0 },
	{ "listxattrat", 465, 0 },
	{ "removexattrat", 466, 0 },
	{ "open_tree_attr", 467, 0 },
	{ "file_getattr", 468, 0 },
	{ "file_setattr", 469, 0 },
};

_Static_assert(sizeof newer / sizeof *newer <= SECCOMP_NEWER_MAX, "every call can be decided");

// What an architecture's numbers look like: floor <= number < ceiling.
struct range {
	uint32_t audit, floor, ceiling;
};

static struct range range_of(uint32_t arch)
{
	if (arch == SCMP_ARCH_X32)
		return (struct range){ SCMP_ARCH_X86_64, X32_BIT, UINT32_MAX };
	if (arch == SCMP_ARCH_X86_64)
		return (struct range){ arch, 0, X32_BIT };
	return (struct range){ arch, 0, arch == SCMP_ARCH_ARM ? ARM_PRIVATE : UINT32_MAX };
}

static bool call_is_on(const struct seccomp_newer *call, uint32_t arch)
{
	return !call->only || call->only == arch;
}

// The number of a call on one architecture, as the kernel passes it; -1 if it isn't there.
static int64_t number_on(uint32_t arch, const char *name)
{
	const struct seccomp_newer *call = seccomp_prologue_find(name);
	struct range range = range_of(arch);
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	if (number < 0 && call && call_is_on(call, arch))
		return call->number | range.floor;
	return number < 0 || (uint32_t)number >= range.ceiling ? -1 : number;
}

static int64_t highest_named(const struct seccomp_profile *profile, uint32_t arch)
{
	int64_t highest = -1;

	for (size_t i = 0; i < profile->rule_count; i++)
		for (size_t n = 0; n < profile->rules[i].names.count; n++) {
			int64_t number = number_on(arch, profile->rules[i].names.items[n]);

			highest = number > highest ? number : highest;
		}
	return highest;
}

static void emit(struct seccomp_prologue *prologue, int code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
	prologue->code[prologue->count++] = (struct sock_filter){ (uint16_t)code, if_true, if_false, value };
}

// The lowest number that the prologue decides, so that all others leave it after one comparison.
static uint32_t lowest_decided(const struct seccomp_prologue *prologue, uint32_t arch, int64_t highest)
{
	uint32_t floor = range_of(arch).floor, lowest = highest < 0 ? UINT32_MAX : (uint32_t)highest + 1;

	for (size_t i = 0; i < prologue->decision_count; i++) {
		const struct seccomp_newer *call = prologue->decisions[i].call;

		if (call_is_on(call, arch) && (call->number | floor) < lowest)
			lowest = call->number | floor;
	}
	return lowest;
}

static void emit_decisions(struct seccomp_prologue *prologue, uint32_t arch)
{
	for (size_t i = 0; i < prologue->decision_count; i++) {
		const struct seccomp_decision *decision = &prologue->decisions[i];

		if (!call_is_on(decision->call, arch))
			continue;
		emit(prologue, BPF_JMP | BPF_JEQ | BPF_K, decision->call->number | range_of(arch).floor, 0, 1);
		emit(prologue, BPF_RET | BPF_K, decision->action, 0, 0);
	}
}

// One architecture's part. It decides, or goes on to libseccomp's filter (a jump of UINT32_MAX, until the distance is known); calls
// of any other architecture pass it by.
static void emit_arch(struct seccomp_prologue *prologue, uint32_t arch, int64_t highest)
{
	struct range range = range_of(arch);
	size_t start = prologue->count;

	emit(prologue, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(prologue, BPF_JMP | BPF_JEQ | BPF_K, range.audit, 0, 0);
	emit(prologue, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	emit(prologue, BPF_JMP | BPF_JGE | BPF_K, range.floor, 0, 0);
	emit(prologue, BPF_JMP | BPF_JGE | BPF_K, range.ceiling, 0, 0);
	emit(prologue, BPF_JMP | BPF_JGE | BPF_K, lowest_decided(prologue, arch, highest), 1, 0);
	emit(prologue, BPF_JMP | BPF_JA, UINT32_MAX, 0, 0);
	emit_decisions(prologue, arch);
	if (highest >= 0) {
		emit(prologue, BPF_JMP | BPF_JGT | BPF_K, (uint32_t)highest, 0, 1);
		emit(prologue, BPF_RET | BPF_K, SCMP_ACT_ERRNO(ENOSYS), 0, 0);
	}
	emit(prologue, BPF_JMP | BPF_JA, UINT32_MAX, 0, 0);

	size_t size = prologue->count - start;

	prologue->code[start + 1].jf = (uint8_t)(size - 2);
	prologue->code[start + 3].jf = (uint8_t)(size - 4);
	prologue->code[start + 4].jt = (uint8_t)(size - 5);
}

_Static_assert(SECCOMP_NEWER_MAX * 2 + 12 <= UINT8_MAX, "a part can be jumped over");

const struct seccomp_newer *seccomp_prologue_find(const char *name)
{
	for (size_t i = 0; i < sizeof newer / sizeof *newer; i++)
		if (!strcmp(newer[i].name, name))
			return &newer[i];
	return NULL;
}

void seccomp_prologue_decide(struct seccomp_prologue *prologue, const struct seccomp_newer *call, uint32_t action)
{
	for (size_t i = 0; i < prologue->decision_count; i++)
		if (prologue->decisions[i].call == call)
			return;
	prologue->decisions[prologue->decision_count++] = (struct seccomp_decision){ call, action };
}

void seccomp_prologue_build(struct seccomp_prologue *prologue, const struct seccomp_profile *profile)
{
	bool refuse_newer = !seccomp_profile_permits(profile->default_action);

	prologue->count = 0;
	if (!refuse_newer && !prologue->decision_count)
		return;
	for (size_t i = 0; i < profile->arch_count; i++)
		emit_arch(prologue, profile->archs[i], refuse_newer ? highest_named(profile, profile->archs[i]) : -1);
	for (size_t i = 0; i < prologue->count; i++)
		if (prologue->code[i].code == (BPF_JMP | BPF_JA))
			prologue->code[i].k = (uint32_t)(prologue->count - i - 1);
}
