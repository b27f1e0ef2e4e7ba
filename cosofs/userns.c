// SPDX-License-Identifier: GPL-2.0-or-later
// userns.c - a user namespace whose root is the ordinary user
//
// Theory of operation. newuidmap must run outside the namespace that it maps, so a child is forked first. It waits on a pipe
// until the parent has unshared, runs newuidmap and newgidmap on the parent, and tells by its exit code whether both worked.
#include "cosofs/userns.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/num.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELPER_MS = 10000 };

struct range {
	const char *first, *count;
};

// Finds the first line of the file ("NAME:FIRST:COUNT", subuid(5)) that belongs to the caller, by name or by id.
static bool find_range(struct arena *arena, const char *path, struct range *out)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? arena_strdup(arena, user->pw_name) : NULL;
	const char *id = arena_printf(arena, "%u", (unsigned int)getuid());
	char *text = file_read(arena, AT_FDCWD, path, FILE_CONFIG, NULL, NULL);
	if (!text)
		return false;
	struct strv lines = str_split(arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct strv fields = str_split(arena, lines.items[i], ':');
		uint32_t first;
		uint64_t count;
		if (fields.count != 3 || (!str_eq(fields.items[0], name) && !str_eq(fields.items[0], id)))
			continue;
		if (num_id(path, fields.items[1], &first, NULL) < 0 ||
		    num_u64(path, fields.items[2], 1, UINT32_MAX, &count, NULL) < 0)
			continue;
		*out = (struct range){ .first = fields.items[1], .count = fields.items[2] };
		return true;
	}
	return false;
}

static bool run_map(struct arena *arena, const char *program, pid_t pid, unsigned int id, const struct range *range)
{
	static const char *const folders[] = { "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin" };
	struct strv argv = { 0 };
	struct err err = { 0 };
	struct proc_result result = { 0 };
	const char *words[] = {
		program, arena_printf(arena, "%d", pid), "0", arena_printf(arena, "%u", id), "1", "1", range->first, range->count
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		strv_push(arena, &argv, words[i]);
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		const char *path = arena_printf(arena, "%s/%s", folders[i], program);
		if (access(path, X_OK) < 0)
			continue;
		struct proc_run run = { .path = path, .argv = argv.items, .timeout_ms = HELPER_MS, .cap = 4096 };
		if (proc_run(arena, &run, &result, &err) == 0 && !result.timed_out && proc_exit_code(result.status) == 0)
			return true;
		str_clean(result.err ? result.err : err.msg);
		log_verbose("%s: %s", path, result.err ? result.err : err.msg);
		return false;
	}
	log_verbose("%s is not installed (package uidmap)", program);
	return false;
}

static void helper(pid_t parent, int go)
{
	struct arena arena = { 0 };
	struct range users, groups;
	char byte;
	if (fd_read_full(go, &byte, 1) != 1)
		_exit(1);
	bool ok = find_range(&arena, "/etc/subuid", &users) && find_range(&arena, "/etc/subgid", &groups) &&
		  run_map(&arena, "newuidmap", parent, getuid(), &users) && run_map(&arena, "newgidmap", parent, getgid(), &groups);
	_exit(ok ? 0 : 1);
}

// The one id that a process may map by itself. user_namespaces(7): setgroups must be denied before gid_map is written.
static int map_single(uid_t uid, gid_t gid, struct err *err)
{
	struct arena arena = { 0 };
	int result = file_put(AT_FDCWD, "/proc/self/uid_map", arena_printf(&arena, "0 %u 1", (unsigned int)uid), err);
	if (result == 0)
		result = file_put(AT_FDCWD, "/proc/self/setgroups", "deny", err);
	if (result == 0)
		result = file_put(AT_FDCWD, "/proc/self/gid_map", arena_printf(&arena, "0 %u 1", (unsigned int)gid), err);
	arena_free(&arena);
	return result;
}

int userns_enter(enum userns *out_kind, struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	*out_kind = USERNS_ROOT;
	if (uid == 0)
		return 0;
	*out_kind = USERNS_NONE;
	int ends[2], status = 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	own_fd int wait_end = ends[0];
	own_fd int go_end = ends[1];
	pid_t self = getpid(), pid = fork();
	if (pid < 0)
		return err_sys(err, "start a process for the id maps");
	if (pid == 0) {
		fd_close(&go_end);
		helper(self, wait_end);
	}
	bool made = unshare(CLONE_NEWUSER) == 0;
	if (!made)
		log_verbose("no user namespace: %m");
	else
		(void)!write(go_end, "", 1);
	fd_close(&go_end);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!made)
		return 0;
	bool mapped = proc_exit_code(status) == 0;
	*out_kind = mapped ? USERNS_RANGE : USERNS_SINGLE;
	return mapped || geteuid() == 0 ? 0 : map_single(uid, gid, err);
}
