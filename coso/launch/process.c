// SPDX-License-Identifier: GPL-2.0-or-later
// process.c - what the program finds when it starts
#include "coso/launch/process.h"

#include "coso/launch/init.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The root in which the container's files are looked up.
static int root_of(const struct launch *launch)
{
	return launch_has_root(launch) ? launch->rootfs.root : AT_FDCWD;
}

int process_lookup(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	struct user *u = &launch->user;
	u->uid = p->uid;
	u->gid = p->gid;
	if (p->user && user_lookup(root_of(launch), p->user, u, err) < 0)
		return -1;
	if (!p->user && launch->spec->home_slot)
		user_find_home(root_of(launch), u);
	if (!u->home[0])
		snprintf(u->home, sizeof(u->home), "%s", u->uid == 0 ? "/root" : "/");
	return 0;
}

// The reserved last entry of the environment, "HOME=", is ours to fill.
static int set_home(struct launch *launch, struct err *err)
{
	char *home = launch->spec->home_slot;
	if (home && snprintf(home, SPEC_HOME_SLOT, "HOME=%s", launch->user.home) >= SPEC_HOME_SLOT)
		return err_set(err, ENAMETOOLONG, "the home folder's name is too long");
	return 0;
}

static int enter_failed(const struct launch *launch, const char *folder, struct err *err)
{
	if (!launch->spec->bundle)
		return err_wrap(err, "--workdir '%s'", folder);
	return err_wrap(err, "chdir to cwd (\"%s\") set in config.json failed", folder);
}

int process_make_folder(struct launch *launch, struct err *err)
{
	const char *cwd = launch->spec->process.cwd;
	if (!launch->spec->root.readonly || !cwd)
		return 0;
	own_fd int fd = path_mkdirs_in(launch->rootfs.root, cwd, err);
	return fd < 0 ? enter_failed(launch, cwd, err) : 0;
}

// Should: be inside the root afterwards: getcwd(2) answers "(unreachable)…" for a folder that isn't (CVE-2024-21626).
static int enter_folder(struct launch *launch, struct err *err)
{
	const char *given = launch->spec->process.cwd, *cwd = given ? given : "/";
	char where[4096];
	if (!launch_has_root(launch))
		return given && chdir(given) < 0 ? err_sys(err, "--workdir '%s'", given) : 0;
	own_fd int fd = path_mkdirs_in(launch->rootfs.root, cwd, err);
	if (fd < 0)
		return enter_failed(launch, cwd, err);
	if (fchdir(fd) < 0) {
		err_sys(err, "enter it");
		return enter_failed(launch, cwd, err);
	}
	long n = syscall(SYS_getcwd, where, sizeof(where));
	if (n <= 0 || where[0] != '/') {
		err_set(err, EACCES, "it isn't inside the container");
		return enter_failed(launch, cwd, err);
	}
	return 0;
}

static int open_stdin(struct launch *launch, struct err *err)
{
	if (launch->spec->process.interactive || launch->tty >= 0)
		return 0;
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return err_sys(err, "open /dev/null as stdin");
	return 0;
}

// Whatever was inherited or opened on the way here ends at exec, but for those that are to be preserved.
static int mark_descriptors(const struct launch *launch, struct err *err)
{
	const int first = STDERR_FILENO + 1;
	for (int fd = first; fd < first + launch->preserved; fd++) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			return err_sys(err, "preserve descriptor %d", fd);
	}
	return fd_cloexec_from(first + launch->preserved) < 0 ? err_sys(err, "mark descriptors close-on-exec") : 0;
}

int process_prepare(struct launch *launch, struct err *err)
{
	if (set_home(launch, err) < 0 || open_stdin(launch, err) < 0 || enter_folder(launch, err) < 0)
		return -1;
	attributes_set_umask(&launch->attributes);
	if (attributes_set_memory_policy(&launch->attributes, err) < 0 || attributes_set_personality(&launch->attributes, err) < 0)
		return -1;
	if (mark_descriptors(launch, err) < 0)
		return -1;
	if (launch->spec->process.init)
		init_prepare(launch);
	return 0;
}

static int refuse_limit(const struct launch *launch, const struct spec_rlimit *l, struct err *err)
{
	err_sys(err, "%s: set limit %d to %llu:%llu", launch->spec->bundle ? "process.rlimits" : "--ulimit", l->resource,
		(unsigned long long)l->soft, (unsigned long long)l->hard);
	return err_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE");
}

int process_raise_limits(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	for (size_t i = 0; i < p->rlimit_count; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];
		struct rlimit limit; // ours, of which the child has a copy
		if (getrlimit((__rlimit_resource_t)l->resource, &limit) < 0)
			return refuse_limit(launch, l, err);
		if (l->hard <= limit.rlim_max)
			continue;
		limit.rlim_max = l->hard;
		if (prlimit(launch->pid, (__rlimit_resource_t)l->resource, &limit, NULL) < 0)
			return refuse_limit(launch, l, err);
	}
	return 0;
}

int process_limit(struct launch *launch, struct err *err)
{
	const struct spec_process *p = &launch->spec->process;
	for (size_t i = 0; i < p->rlimit_count; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];
		const struct rlimit limit = { .rlim_cur = l->soft, .rlim_max = l->hard };
		if (setrlimit((__rlimit_resource_t)l->resource, &limit) < 0)
			return refuse_limit(launch, l, err);
	}
	return 0;
}
