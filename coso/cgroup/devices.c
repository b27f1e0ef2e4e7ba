// SPDX-License-Identifier: GPL-2.0-or-later
// devices.c - which devices a group may open and make: lists of v1, a BPF program on v2
#include "coso/cgroup/devices.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ALL_ACCESS = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE };

int devices_check(const struct spec_device_rule *rules, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct spec_device_rule *rule = &rules[i];
		if (rule->type != 'a' && rule->type != 'b' && rule->type != 'c')
			return err_set(err, EINVAL, "device rule %zu: type 'a', 'b' or 'c' is needed", i);
		if (!rule->access || !*rule->access || rule->access[strspn(rule->access, "rwm")])
			return err_set(err, EINVAL, "device rule %zu: access '%s' isn't made of r, w and m", i,
				       rule->access ? rule->access : "");
		if (rule->major < -1 || rule->minor < -1 || rule->major > UINT32_MAX || rule->minor > UINT32_MAX)
			return err_set(err, EINVAL, "device rule %zu: %lld:%lld is no device number", i, (long long)rule->major,
				       (long long)rule->minor);
	}
	return 0;
}

static unsigned int bits_of(const char *access)
{
	return (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0U) | (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0U) |
	       (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0U);
}

// In the kernel's order of letters.
static const char *access_of(struct arena *arena, unsigned int bits)
{
	return arena_printf(arena, "%s%s%s", bits & BPF_DEVCG_ACC_READ ? "r" : "", bits & BPF_DEVCG_ACC_WRITE ? "w" : "",
			    bits & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

static bool overlap(int64_t a, int64_t b)
{
	return a < 0 || b < 0 || a == b;
}

static bool covers(int64_t wide, int64_t narrow)
{
	return wide < 0 || wide == narrow;
}

static const char *text_of(struct arena *arena, const struct spec_device_rule *rule)
{
	const char *major = rule->major < 0 ? "*" : arena_printf(arena, "%lld", (long long)rule->major);
	const char *minor = rule->minor < 0 ? "*" : arena_printf(arena, "%lld", (long long)rule->minor);
	return arena_printf(arena, "%c %s:%s %s", rule->type, major, minor, rule->access);
}

// A rule that differs from what holds for the rest: one more row, or more access in the row of the same devices.
static void list_add(struct arena *arena, struct devices_list *list, const struct spec_device_rule *rule)
{
	for (size_t i = 0; i < list->count; i++) {
		struct spec_device_rule *item = &list->items[i];
		if (item->type == rule->type && item->major == rule->major && item->minor == rule->minor) {
			item->access = access_of(arena, bits_of(item->access) | bits_of(rule->access));
			return;
		}
	}
	list->items = arena_grow(arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count] = *rule;
	list->items[list->count++].access = access_of(arena, bits_of(rule->access));
}

// A rule that says what holds for the rest anyway: it takes access out of the rows before it.
static int list_take(struct arena *arena, struct devices_list *list, const struct spec_device_rule *rule, struct err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct spec_device_rule item = list->items[i];
		unsigned int bits = bits_of(item.access), taken = bits & bits_of(rule->access);
		if (item.type == rule->type && overlap(item.major, rule->major) && overlap(item.minor, rule->minor) && taken) {
			if (!covers(rule->major, item.major) || !covers(rule->minor, item.minor))
				return err_set(err, ENOTSUP,
					       "device rule '%s': cgroup v1 can't make an exception from the wider '%s' before it",
					       text_of(arena, rule), text_of(arena, &item));
			item.access = access_of(arena, bits & ~taken);
		}
		if (*item.access)
			list->items[kept++] = item;
	}
	list->count = kept;
	return 0;
}

int devices_reduce(struct arena *arena, const struct spec_device_rule *rules, size_t count, struct devices_list *out_list,
		   struct err *err)
{
	struct devices_list list = { .allowed = true };
	for (size_t i = 0; i < count; i++) {
		struct spec_device_rule rule = rules[i];
		if (rule.type == 'a' && rule.major < 0 && rule.minor < 0 && bits_of(rule.access) == ALL_ACCESS) {
			list.allowed = rule.allow;
			list.count = 0;
			continue;
		}
		for (const char *type = rule.type == 'a' ? "bc" : rule.type == 'b' ? "b" : "c"; *type; type++) {
			rule.type = *type;
			if (rule.allow != list.allowed)
				list_add(arena, &list, &rule);
			else if (list_take(arena, &list, &rule, err) < 0)
				return -1;
		}
	}
	*out_list = list;
	return 0;
}

// Each must be a line of devices.list, which shows them as they were written. What is denied isn't shown where the rest is allowed.
static int read_back(struct arena *arena, const char *folder, const struct devices_list *list, struct err *err)
{
	const char *path = arena_printf(arena, "%s/devices.list", folder);
	char *text = file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, err);
	if (!text)
		return -1;
	text = arena_printf(arena, "\n%s", text);
	for (size_t i = 0; i < list->count && !list->allowed; i++) {
		const char *rule = text_of(arena, &list->items[i]);
		if (!strstr(text, arena_printf(arena, "\n%s\n", rule)))
			return err_set(err, ERANGE, "allow the device '%s': the kernel doesn't list it in '%s'", rule, path);
	}
	return 0;
}

int devices_apply_v1(struct arena *arena, const char *folder, const struct spec_device_rule *rules, size_t count, struct err *err)
{
	struct devices_list list;
	if (devices_reduce(arena, rules, count, &list, err) < 0)
		return -1;
	if (list.allowed) // what the group above doesn't allow stays so: EPERM
		file_put(AT_FDCWD, arena_printf(arena, "%s/devices.allow", folder), "a", NULL);
	else if (file_put(AT_FDCWD, arena_printf(arena, "%s/devices.deny", folder), "a", err) < 0)
		return err_wrap(err, "deny all devices");
	const char *path = arena_printf(arena, "%s/devices.%s", folder, list.allowed ? "deny" : "allow");
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	for (size_t i = 0; i < list.count; i++) {
		const char *rule = text_of(arena, &list.items[i]);
		if (write(fd, rule, strlen(rule)) == (ssize_t)strlen(rule))
			continue;
		int why = errno;
		err_sys(err, "write the device rule '%s' to '%s'", rule, path);
		return why == EPERM ? err_hint(err, "the group above doesn't allow it either") : -1;
	}
	return read_back(arena, folder, &list, err);
}

enum { R0, R1, R2, R3, R4, R5 }; // result, context, type, access that isn't decided yet, major, minor

enum { RULE_INSNS = 7, HEAD_INSNS = 6, TAIL_INSNS = 2, OLD_MAX = 64 };

static const char program_name[] = "coso_devices";

struct program {
	struct bpf_insn *insns;
	size_t count;
};

static void emit(struct program *program, int code, int dst, int src, int off, int imm)
{
	program->insns[program->count++] = (struct bpf_insn){
		.code = (__u8)code,
		.dst_reg = (__u8)(dst & 15),
		.src_reg = (__u8)(src & 15),
		.off = (__s16)off,
		.imm = imm,
	};
}

static void emit_return(struct program *program, int value)
{
	emit(program, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, value);
	emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

// Jumps over the rule unless the register holds the value; which way is filled in at the rule's end.
static void emit_match(struct program *program, int reg, int64_t value)
{
	if (value >= 0)
		emit(program, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, 0, (int)(uint32_t)value);
}

static void emit_rule(struct program *program, const struct spec_device_rule *rule)
{
	size_t start = program->count, end;
	int bits = (int)bits_of(rule->access);
	emit_match(program, R2, rule->type == 'a' ? -1 : rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	emit_match(program, R4, rule->major);
	emit_match(program, R5, rule->minor);
	if (rule->allow) {
		emit(program, BPF_ALU | BPF_AND | BPF_K, R3, 0, 0, ~bits);
		emit(program, BPF_JMP32 | BPF_JNE | BPF_K, R3, 0, 0, 0); // some access is still open
		emit_return(program, 1);
	} else {
		emit(program, BPF_JMP32 | BPF_JSET | BPF_K, R3, 0, 1, bits);
		emit(program, BPF_JMP | BPF_JA, 0, 0, 0, 0);
		emit_return(program, 0);
	}
	end = program->count;
	for (size_t i = start; i < end; i++) {
		struct bpf_insn *insn = &program->insns[i];
		bool jump = BPF_CLASS(insn->code) == BPF_JMP || BPF_CLASS(insn->code) == BPF_JMP32;
		if (jump && BPF_OP(insn->code) != BPF_EXIT && insn->off == 0)
			insn->off = (__s16)(end - i - 1);
	}
}

size_t devices_program(struct arena *arena, const struct spec_device_rule *rules, size_t count, struct bpf_insn **out_program)
{
	struct program program = { .insns = arena_alloc(arena,
							(HEAD_INSNS + count * RULE_INSNS + TAIL_INSNS) * sizeof(*program.insns)) };
	emit(&program, BPF_LDX | BPF_MEM | BPF_W, R2, R1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(&program, BPF_ALU | BPF_MOV | BPF_X, R3, R2, 0, 0);
	emit(&program, BPF_ALU | BPF_AND | BPF_K, R2, 0, 0, 0xffff);
	emit(&program, BPF_ALU | BPF_RSH | BPF_K, R3, 0, 0, 16);
	emit(&program, BPF_LDX | BPF_MEM | BPF_W, R4, R1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(&program, BPF_LDX | BPF_MEM | BPF_W, R5, R1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
	for (size_t i = count; i > 0; i--) // the last rule first: it wins
		emit_rule(&program, &rules[i - 1]);
	emit_return(&program, 1);
	*out_program = program.insns;
	return program.count;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

// Of several programs all must allow: one that COSO attached to the same group for an earlier container goes. Others' stay.
static void detach_old(int group)
{
	__u32 ids[OLD_MAX] = { 0 };
	union bpf_attr query = { .query.target_fd = (__u32)group, .query.attach_type = BPF_CGROUP_DEVICE };
	query.query.prog_ids = (uintptr_t)ids;
	query.query.prog_cnt = OLD_MAX;
	if (bpf(BPF_PROG_QUERY, &query) < 0)
		return;
	for (__u32 i = 0; i < query.query.prog_cnt && i < OLD_MAX; i++) {
		struct bpf_prog_info info = { 0 };
		union bpf_attr by_id = { .prog_id = ids[i] };
		own_fd int program = bpf(BPF_PROG_GET_FD_BY_ID, &by_id);
		union bpf_attr about = { .info.bpf_fd = (__u32)program, .info.info_len = sizeof(info) };
		about.info.info = (uintptr_t)&info;
		if (program < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &about) < 0 || !str_eq(info.name, program_name))
			continue;
		union bpf_attr detach = { .target_fd = (__u32)group, .attach_type = BPF_CGROUP_DEVICE };
		detach.attach_bpf_fd = (__u32)program;
		bpf(BPF_PROG_DETACH, &detach);
	}
}

int devices_apply_v2(struct arena *arena, int group, bool used, const struct spec_device_rule *rules, size_t count, struct err *err)
{
	struct bpf_insn *insns;
	size_t length = devices_program(arena, rules, count, &insns);
	if (length > BPF_MAXINSNS)
		return err_set(err, E2BIG, "load %zu device rules: too many for one program", count);
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insn_cnt = (__u32)length };
	load.insns = (uintptr_t)insns;
	load.license = (uintptr_t) "GPL";
	memcpy(load.prog_name, program_name, sizeof(program_name));
	own_fd int program = bpf(BPF_PROG_LOAD, &load);
	if (program < 0) {
		int why = errno;
		err_sys(err, "load the device rules as a BPF program");
		if (why == EPERM)
			return err_hint(err, "it takes CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, outside of user namespaces");
		return why == ENOSYS || why == EINVAL ? err_hint(err, "the kernel needs CONFIG_CGROUP_BPF") : -1;
	}
	if (used)
		detach_old(group);
	union bpf_attr attach = { .target_fd = (__u32)group, .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
	attach.attach_bpf_fd = (__u32)program;
	return bpf(BPF_PROG_ATTACH, &attach) < 0 ? err_sys(err, "attach the device rules to the group") : 0;
}
