// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp.c - fuzz target: a seccomp profile, of Docker's or of the OCI's form, read and compiled
#include "coso/launch/seccomp_compile.h"
#include "coso/launch/seccomp_json.h"
#include "tests/fuzz/fuzz.h"

#include <linux/bpf_common.h>
#include <stdlib.h>

// seccomp(2): a filter ends by returning, and jumps only forward and inside.
static void check_filter(const struct sock_fprog *program)
{
	if (!program->len || program->len > BPF_MAXINSNS || BPF_CLASS(program->filter[program->len - 1].code) != BPF_RET)
		abort();
	for (uint32_t i = 0; i < program->len; i++) {
		const struct sock_filter *f = &program->filter[i];
		uint64_t farthest = f->jt > f->jf ? f->jt : f->jf;
		if (BPF_CLASS(f->code) != BPF_JMP)
			continue;
		if (BPF_OP(f->code) == BPF_JA)
			farthest = f->k;
		if (i + 1 + farthest >= program->len)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct seccomp_host host;
	struct sock_fprog program;
	struct err err = { 0 };
	size_t key;
	seccomp_json_host(&host, 0xffff);
	if (seccomp_json_read(&profile, &arena, (const char *)data, size, &host, &err) < 0) {
		fuzz_check_error(&err);
		return 0;
	}
	if (!*seccomp_profile_key(&profile, &key))
		abort();
	if (seccomp_compile(&profile, &program, &err) < 0)
		fuzz_check_error(&err);
	else
		check_filter(&program);
	return 0;
}
