// SPDX-License-Identifier: GPL-2.0-or-later
// idmap.c - id maps of a user namespace
#include "coso/launch/idmap.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *find_helper(struct arena *arena, const char *name)
{
	static const char *const folders[] = { "/usr/bin", "/usr/local/bin", "/bin", NULL };
	for (size_t i = 0; folders[i]; i++) {
		const char *path = arena_printf(arena, "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

static int write_directly(struct arena *a, pid_t pid, const char *file, const struct spec_idmaps *maps, struct err *err)
{
	char *text = arena_strdup(a, "");
	for (size_t i = 0; i < maps->count; i++)
		text = arena_printf(a, "%s%u %u %u\n", text, maps->items[i].container, maps->items[i].host, maps->items[i].size);
	return file_put(AT_FDCWD, arena_printf(a, "/proc/%d/%s", (int)pid, file), text, err);
}

static int run_helper(struct arena *a, pid_t pid, const char *name, const struct spec_idmaps *maps, struct err *err)
{
	const char *path = find_helper(a, name);
	if (!path)
		return err_set(err, ENOENT, "%s isn't installed: it maps more than your own id (package uidmap or shadow-utils)",
			       name);
	struct strv argv = { 0 };
	strv_push(a, &argv, name);
	strv_push(a, &argv, arena_printf(a, "%d", (int)pid));
	for (size_t i = 0; i < maps->count; i++) {
		strv_push(a, &argv, arena_printf(a, "%u", maps->items[i].container));
		strv_push(a, &argv, arena_printf(a, "%u", maps->items[i].host));
		strv_push(a, &argv, arena_printf(a, "%u", maps->items[i].size));
	}
	struct proc_run run = { .path = path, .argv = argv.items, .timeout_ms = 10000, .cap = 1024 };
	struct proc_result result;
	if (proc_run(a, &run, &result, err) < 0)
		return -1;
	str_clean(result.err);
	if (result.timed_out || proc_exit_code(result.status) != 0)
		return err_set(err, EPERM, "%s failed: %s", name, result.timed_out ? "no answer" : result.err);
	return 0;
}

static bool is_one_id(const struct spec_idmaps *maps)
{
	return maps->count == 1 && maps->items[0].size == 1;
}

bool idmap_denies_groups(const struct caller *caller, const struct spec_idmaps *gids)
{
	return !caller->maps_ids && is_one_id(gids);
}

bool idmap_find(const struct spec_idmaps *maps, uint32_t id, uint32_t *out_id)
{
	for (size_t i = 0; i < maps->count; i++) {
		const struct spec_idmap *m = &maps->items[i];
		if (id >= m->container && id - m->container < m->size) {
			*out_id = m->host + (id - m->container);
			return true;
		}
	}
	return false;
}

int idmap_write(struct arena *arena, pid_t pid, const struct idmap *map, struct err *err)
{
	bool one = is_one_id(map->uids) && is_one_id(map->gids);
	if (!map->caller->maps_ids && geteuid() != 0 && !one) {
		if (run_helper(arena, pid, "newuidmap", map->uids, err) < 0)
			return -1;
		return run_helper(arena, pid, "newgidmap", map->gids, err);
	}
	// user_namespaces(7): an ordinary user may map a group only after giving up setgroups(2).
	if (idmap_denies_groups(map->caller, map->gids) &&
	    file_put(AT_FDCWD, arena_printf(arena, "/proc/%d/setgroups", (int)pid), "deny", err) < 0)
		return -1;
	if (write_directly(arena, pid, "uid_map", map->uids, err) == 0 &&
	    write_directly(arena, pid, "gid_map", map->gids, err) == 0)
		return 0;
	if (err->code == EPERM && map->caller->nested)
		return err_hint(err,
				"the ids outside have to be mapped in this user namespace, see /proc/self/uid_map and gid_map");
	if (err->code == EPERM)
		return err_hint(
			err, "mapping ids takes CAP_SETUID and CAP_SETGID, and for root's own CAP_SETFCAP; or use --userns host");
	return -1;
}

static void inside(int gate, int (*act)(void *data, struct err *err), void *data)
{
	struct err err = { 0 };
	char byte;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (recv(gate, &byte, 1, 0) != 1)
		_exit(125);
	int result = 0;
	if (syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
		result = err_sys(&err, "become root of a user namespace");
	else
		result = act(data, &err);
	if (result < 0)
		(void)!write(gate, &err, sizeof(err));
	_exit(result < 0 ? 125 : 0);
}

int idmap_run_inside(struct arena *arena, const struct idmap *map, int (*act)(void *data, struct err *err), void *data,
		     struct err *err)
{
	int gate[2], pidfd = -1, status = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) < 0)
		return err_sys(err, "make a socket pair");
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD,
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	int pid = sys_clone3(&args);
	if (pid == 0) {
		fd_close(&gate[0]);
		inside(gate[1], act, data);
	}
	fd_close(&gate[1]);
	int result = pid < 0 ? err_sys(err, "make a user namespace") : idmap_write(arena, pid, map, err);
	if (result == 0 && send(gate[0], "", 1, MSG_NOSIGNAL) < 0)
		result = err_sys(err, "let the child go on");
	if (result < 0)
		fd_close(&gate[0]); // the child sees that nothing comes
	struct err said;
	if (result == 0 && recv(gate[0], &said, sizeof(said), 0) == (ssize_t)sizeof(said)) {
		*err = said;
		result = -1;
	}
	if (pid > 0 && proc_wait(pidfd, -1, &status) == 1 && result == 0 && status != 0)
		result = err_set(err, EIO, "the child in the user namespace failed");
	fd_close(&gate[0]);
	fd_close(&pidfd);
	return result;
}
