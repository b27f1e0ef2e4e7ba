// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_compile.c - from a profile to the kernel's BPF

#include "coso/launch/seccomp_compile.h"

#include "coso/launch/seccomp_prologue.h"
#include "shared/fd.h"
#include "shared/log.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTIMIZE_BINARY_TREE = 2 }; // loads in an eighth of the time that the list takes
enum { NOTIFY_API = 5 };           // seccomp_api_get(3)

struct compilation {
	const struct seccomp_profile *profile;
	scmp_filter_ctx libseccomp;
	struct seccomp_prologue prologue;
};

static void compilation_end(struct compilation *compilation)
{
	if (compilation->libseccomp)
		seccomp_release(compilation->libseccomp);
}

#define own_compilation __attribute__((cleanup(compilation_end)))

// The call can't be put into the filter. Engines name calls that only newer libraries know, so that is no error unless it is to be;
// but where it would be permitted for that, somebody should know.
static int name_skip(const struct seccomp_profile *profile, const struct seccomp_rule *rule, const char *name, struct err *err)
{
	const struct scmp_version *library = seccomp_version();

	if (profile->strict)
		return err_set(err, EINVAL, "%s: system call '%s': libseccomp %u.%u.%u doesn't know it", rule->where, name,
			       library->major, library->minor, library->micro);
	if (!seccomp_profile_permits(rule->action) && seccomp_profile_permits(profile->default_action))
		log_warning("%s: system call '%s' isn't refused: libseccomp %u.%u.%u doesn't know it", rule->where, name,
			    library->major, library->minor, library->micro);
	return 0;
}

// libseccomp takes one condition an argument. Several on the same argument mean "any of them", as with Docker and runc.
static int call_add(scmp_filter_ctx libseccomp, const struct seccomp_rule *rule, int number)
{
	struct scmp_arg_cmp compares[SECCOMP_CONDITIONS_MAX];
	unsigned int seen = 0, repeated = 0;
	int rc = 0;

	for (size_t i = 0; i < rule->condition_count; i++) {
		const struct seccomp_condition *condition = &rule->conditions[i];

		compares[i] = (struct scmp_arg_cmp){ condition->index, (enum scmp_compare)condition->op, condition->value,
						     condition->value_two };
		repeated |= seen & 1U << condition->index;
		seen |= 1U << condition->index;
	}
	if (!repeated)
		return seccomp_rule_add_array(libseccomp, rule->action, number, (unsigned int)rule->condition_count, compares);
	for (size_t i = 0; i < rule->condition_count && !rc; i++)
		rc = seccomp_rule_add_array(libseccomp, rule->action, number, 1, &compares[i]);
	return rc;
}

static int name_add(struct compilation *compilation, const struct seccomp_rule *rule, const char *name, struct err *err)
{
	int number = seccomp_syscall_resolve_name(name), rc;

	if (number == __NR_SCMP_ERROR) {
		const struct seccomp_newer *call = seccomp_prologue_find(name);

		if (!call || rule->condition_count)
			return name_skip(compilation->profile, rule, name, err);
		seccomp_prologue_decide(&compilation->prologue, call, rule->action);
		return 0;
	}
	rc = call_add(compilation->libseccomp, rule, number);
	if (rc)
		return err_set(err, -rc, "%s: system call '%s': %s", rule->where, name,
			       rc == -EEXIST ? "another rule with these conditions has another action" : strerror(-rc));
	return 0;
}

static int libseccomp_set_up(struct compilation *compilation, struct err *err)
{
	const struct seccomp_profile *profile = compilation->profile;
	bool native = false;
	int rc;

	if (profile->notify && seccomp_api_get() < NOTIFY_API)
		return err_set(err, ENOSYS, "seccomp notify unsupported: it takes Linux 5.0 and libseccomp 2.5");
	compilation->libseccomp = seccomp_init(profile->default_action);
	if (!compilation->libseccomp)
		return err_set(err, EINVAL, "default action %#x: libseccomp refuses it", profile->default_action);
	for (size_t i = 0; i < profile->arch_count; i++) {
		native |= profile->archs[i] == seccomp_arch_native();
		rc = seccomp_arch_add(compilation->libseccomp, profile->archs[i]);
		if (rc && rc != -EEXIST)
			return err_set(err, -rc, "architecture %#x: %s", profile->archs[i], strerror(-rc));
	}
	rc = native ? 0 : seccomp_arch_remove(compilation->libseccomp, SCMP_ARCH_NATIVE);
	if (!rc)
		rc = seccomp_attr_set(compilation->libseccomp, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BINARY_TREE);
	return rc ? err_set(err, -rc, "set up libseccomp: %s", strerror(-rc)) : 0;
}

static int rules_add(struct compilation *compilation, struct err *err)
{
	const struct seccomp_profile *profile = compilation->profile;

	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct seccomp_rule *rule = &profile->rules[i];

		if (rule->action == profile->default_action)
			continue; // says nothing, and libseccomp refuses it
		for (size_t n = 0; n < rule->names.count; n++)
			if (name_add(compilation, rule, rule->names.items[n], err))
				return -1;
	}
	return 0;
}

// libseccomp 2.5 hands its filter to a descriptor only.
static int filter_export(const struct compilation *compilation, struct sock_fprog *out_program, struct err *err)
{
	const struct seccomp_prologue *prologue = &compilation->prologue;
	own_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return err_sys(err, "make a memory file for the seccomp filter");
	int rc = seccomp_export_bpf(compilation->libseccomp, fd);

	if (rc)
		return err_set(err, -rc, "compile the seccomp filter: %s", strerror(-rc));
	if (fstat(fd, &st) || lseek(fd, 0, SEEK_SET))
		return err_sys(err, "read the seccomp filter");
	size_t size = (size_t)st.st_size, count = prologue->count + size / sizeof(struct sock_filter);

	if (count > BPF_MAXINSNS)
		return err_set(err, E2BIG, "the seccomp filter has %zu instructions: the kernel takes %d", count, BPF_MAXINSNS);
	struct sock_filter *code = arena_alloc(compilation->profile->arena, count * sizeof *code);

	memcpy(code, prologue->code, prologue->count * sizeof *code);
	if (fd_read_full(fd, code + prologue->count, size) != (ssize_t)size)
		return err_sys(err, "read the seccomp filter");
	*out_program = (struct sock_fprog){ .len = (unsigned short)count, .filter = code };
	return 0;
}

int seccomp_compile(const struct seccomp_profile *profile, struct sock_fprog *out_program, struct err *err)
{
	own_compilation struct compilation compilation = { .profile = profile };

	if (libseccomp_set_up(&compilation, err) || rules_add(&compilation, err))
		return -1;
	seccomp_prologue_build(&compilation.prologue, profile);
	return filter_export(&compilation, out_program, err);
}
