// SPDX-License-Identifier: GPL-2.0-or-later
// uml_ptrace.c - lets User-mode Linux 6.1 run on processors with AMX (loaded by scripts/kernel-under-test)
//
// UML saves the vector registers of its processes by ptrace(2) in a buffer that ends with AVX-512. Setting them fails with EFAULT where
// the host kernel's buffer is larger: xstateregs_set() in arch/x86/kernel/fpu/regset.c takes nothing but a whole one. So what
// UML doesn't know is filled up from the process itself. AMX stays as it was; nobody in UML can use it anyway.
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static long (*next)(int request, ...);

__attribute__((constructor)) static void find_next(void)
{
	*(void **)&next = dlsym(RTLD_NEXT, "ptrace");
}

static long set_vectors(int pid, void *kind, struct iovec *part)
{
	static char whole[64 << 10]; // not on UML's small kernel stacks; UML has one processor, and isn't preempted here
	struct iovec all = { .iov_base = whole, .iov_len = sizeof(whole) };

	if (next(PTRACE_GETREGSET, pid, kind, &all) < 0 || all.iov_len <= part->iov_len)
		return next(PTRACE_SETREGSET, pid, kind, part);
	memcpy(whole, part->iov_base, part->iov_len);
	return next(PTRACE_SETREGSET, pid, kind, &all);
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list args;

	va_start(args, request);
	int pid = va_arg(args, int);
	void *addr = va_arg(args, void *), *data = va_arg(args, void *);
	va_end(args);
	if (request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE)
		return set_vectors(pid, addr, data);
	return next((int)request, pid, addr, data);
}
