// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp.c - chooses the filter for a process, and applies it

#include "coso/launch/seccomp.h"

#include "coso/launch/seccomp_builtin.h"
#include "coso/launch/seccomp_cache.h"
#include "coso/launch/seccomp_compile.h"
#include "coso/launch/seccomp_json.h"
#include "coso/launch/seccomp_tables.h"
#include "shared/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PROFILE_FILE_MAX = 1 << 20 };

static struct seccomp builtin(const struct seccomp_builtin *filter)
{
	return (struct seccomp){
		.program = { .len = filter->count, .filter = (struct sock_filter *)filter->filter },
		.flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		.origin = "built-in",
	};
}

static int prepare_default(uint64_t caps, int cache, struct seccomp *out_seccomp, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;

	caps &= seccomp_tables_asked();
	for (size_t i = 0; i < seccomp_builtin_default_count; i++)
		if (seccomp_builtin_defaults[i].caps == caps) {
			*out_seccomp = builtin(&seccomp_builtin_defaults[i]);
			return 0;
		}
	seccomp_tables_default(&profile, &arena, seccomp_builtin_arch, caps);
	return seccomp_prepare_profile(&profile, cache, out_seccomp, err);
}

static int prepare_file(const char *path, uint64_t caps, int cache, struct seccomp *out_seccomp, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct seccomp_host host;
	size_t size;
	char *text = file_read(&arena, AT_FDCWD, path, PROFILE_FILE_MAX, &size, err);

	if (!text)
		return err_wrap(err, "seccomp profile");
	seccomp_json_host(&host, caps);
	if (seccomp_json_read(&profile, &arena, text, size, &host, err))
		return err_wrap(err, "seccomp profile '%s'", path);
	if (profile.notify)
		return err_set(err, EINVAL, "seccomp profile '%s': SCMP_ACT_NOTIFY: a listener is for OCI containers only", path);
	if (seccomp_prepare_profile(&profile, cache, out_seccomp, err))
		return err_wrap(err, "seccomp profile '%s'", path);
	return 0;
}

static int prepare_json(const struct spec_process *process, int cache, struct seccomp *out_seccomp, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct seccomp_profile profile;
	struct seccomp_host host;

	seccomp_json_host(&host, process->caps.bounding);
	if (seccomp_json_convert(&profile, &arena, process->seccomp_json, "linux.seccomp.", &host, err) < 0)
		return -1;
	profile.strict = process->seccomp_strict;
	return seccomp_prepare_profile(&profile, cache, out_seccomp, err);
}

int seccomp_prepare(const struct spec_process *process, int cache, struct seccomp *out_seccomp, struct err *err)
{
	switch (process->seccomp) {
	case SPEC_SECCOMP_UNCONFINED:
		*out_seccomp = (struct seccomp){ .origin = "unconfined" };
		return 0;
	case SPEC_SECCOMP_BARCO:
		*out_seccomp = builtin(&seccomp_builtin_barco);
		return 0;
	case SPEC_SECCOMP_FILE:
		return prepare_file(process->seccomp_file, process->caps.bounding, cache, out_seccomp, err);
	case SPEC_SECCOMP_JSON:
		return prepare_json(process, cache, out_seccomp, err);
	case SPEC_SECCOMP_DEFAULT:
		break;
	}
	return prepare_default(process->caps.bounding, cache, out_seccomp, err);
}

int seccomp_prepare_profile(const struct seccomp_profile *profile, int cache, struct seccomp *out_seccomp, struct err *err)
{
	struct sock_fprog program;
	size_t key_size;
	const char *key = seccomp_profile_key(profile, &key_size);
	bool found = seccomp_cache_find(cache, profile->arena, key, key_size, &program);

	if (!found) {
		if (seccomp_compile(profile, &program, err))
			return -1;
		seccomp_cache_store(cache, profile->arena, key, key_size, &program);
	}
	void *copy = malloc(program.len * sizeof *program.filter);

	if (!copy)
		return err_sys(err, "keep the seccomp filter");
	memcpy(copy, program.filter, program.len * sizeof *program.filter);
	*out_seccomp = (struct seccomp){
		.program = { .len = program.len, .filter = copy },
		.flags = profile->flags,
		.notify = profile->notify,
		.owned = copy,
		.origin = found ? "cache" : "compiled",
	};
	return 0;
}

// Returns what seccomp(2) returns: the listener where the flags ask for one.
static int filter_load(const struct seccomp *seccomp, unsigned int flags, struct err *err)
{
	int rc = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, seccomp->flags | flags, &seccomp->program);

	if (rc == 0 || (rc > 0 && flags & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return rc;
	if (rc > 0) // with TSYNC: the thread that it can't be applied to
		return err_set(err, EBUSY, "apply the seccomp filter: thread %d has another one", rc);
	err_sys(err, "apply the seccomp filter");
	if (err->code == EBUSY) // seccomp(2): one listener a process
		return err_hint(err, "another filter with a listener is in force");
	return err->code == EACCES ? err_hint(err, "it takes CAP_SYS_ADMIN or no_new_privs") : -1;
}

int seccomp_apply(const struct seccomp *seccomp, struct err *err)
{
	if (!seccomp->program.len)
		return 0;
	if (seccomp->notify) // without a listener each such call would fail
		return err_set(err, ENOSYS, "seccomp notify unsupported: there is no listener");
	return filter_load(seccomp, 0, err);
}

int seccomp_apply_listening(const struct seccomp *seccomp, int *out_listener, struct err *err)
{
	unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;

	*out_listener = -1;
	if (!seccomp->notify)
		return seccomp_apply(seccomp, err);
	if (seccomp->flags & SECCOMP_FILTER_FLAG_TSYNC) // together with a listener only so
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	int listener = filter_load(seccomp, flags, err);

	if (listener < 0)
		return -1;
	*out_listener = listener;
	return 0;
}

void seccomp_free(struct seccomp *seccomp)
{
	free(seccomp->owned);
	*seccomp = (struct seccomp){ 0 };
}
