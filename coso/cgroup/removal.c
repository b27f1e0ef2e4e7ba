// SPDX-License-Identifier: GPL-2.0-or-later
// removal.c - ends what runs in a group and in those below it, and removes them
#include "coso/cgroup/removal.h"

#include "shared/arena.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 64,        // groups that a container made in its own
	BATCH = 64,            // processes killed at a time
	PAUSE_MS = 1,          // between tries where nothing says when the next can work
	LISTING_CAP = 4 << 20, // of cgroup.procs
};

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

// Calls `visit` for each group in `dir`. Returns 0, or the first -1.
static int each_child(int dir, int (*visit)(int dir, const char *name, int depth), int depth)
{
	own_fd int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(close_dir))) DIR *list = copy < 0 ? NULL : fdopendir(copy);
	if (!list)
		return -1;
	take_fd(&copy); // the list closes it
	int result = 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(list));)
		if (entry->d_type == DT_DIR && !str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			result = visit(dir, entry->d_name, depth);
	return result;
}

// Removes a group and those below it that are empty. 0, or -1 with EBUSY (or another errno).
static int remove_empty(int dir, const char *name, int depth)
{
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != EBUSY && errno != ENOTEMPTY)
		return -1;
	if (depth == DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	own_fd int group = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (group < 0 && errno == ENOENT)
		return 0;
	if (group < 0 || each_child(group, remove_empty, depth + 1) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

static bool lists(const struct strv *lines, const char *line)
{
	for (size_t i = 0; i < lines->count; i++)
		if (str_eq(lines->items[i], line))
			return true;
	return false;
}

static struct strv read_pids(struct arena *arena, int group)
{
	char *text = file_read(arena, group, "cgroup.procs", LISTING_CAP, NULL, NULL);
	return text ? str_split(arena, text, '\n') : (struct strv){ 0 };
}

// Kills up to BATCH processes of one group and waits for them a little. A pid read from a file may be another process's by the time
// that it is used: the pidfd is opened first, and only what is listed once more afterwards gets the signal.
static void kill_batch(int group)
{
	own_arena struct arena arena = { 0 };
	struct strv pids = read_pids(&arena, group);
	struct pollfd handles[BATCH];
	const char *names[BATCH];
	nfds_t count = 0;
	for (size_t i = 0; i < pids.count && count < BATCH; i++) {
		int64_t pid = 0;
		if (num_i64("pid", pids.items[i], 2, INT32_MAX, &pid, NULL) < 0) // 0: of another pid namespace
			continue;
		int handle = sys_pidfd_open((pid_t)pid, 0);
		if (handle < 0)
			continue;
		names[count] = pids.items[i];
		handles[count++] = (struct pollfd){ .fd = handle, .events = POLLIN };
	}
	pids = read_pids(&arena, group);
	for (nfds_t i = 0; i < count; i++)
		if (lists(&pids, names[i]))
			sys_pidfd_send_signal(handles[i].fd, SIGKILL);
	if (faccessat(group, "freezer.state", F_OK, 0) == 0)
		file_put(group, "freezer.state", "THAWED", NULL); // on v1 not even SIGKILL reaches the frozen
	if (count)
		poll(handles, 1, PAUSE_MS);
	for (nfds_t i = 0; i < count; i++)
		fd_close(&handles[i].fd);
}

static int kill_group(int dir, const char *name, int depth)
{
	own_fd int group = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (group < 0 || depth > DEPTH_MAX)
		return 0;
	if (file_put(group, "cgroup.kill", "1", NULL) == 0) // Linux 5.14; takes those below with it
		return 0;
	if (file_put(group, "pids.max", "0", NULL) < 0) // no fork outruns us
		file_put(group, "freezer.state", "FROZEN", NULL);
	kill_batch(group);
	return each_child(group, kill_group, depth + 1);
}

int removal_remove(const char *folder, int64_t deadline, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *name = strrchr(folder, '/');
	if (!name || name == folder)
		return err_set(err, EINVAL, "remove the group '%s': that is no group's folder", folder);
	own_fd int dir = open(arena_strndup(&arena, folder, (size_t)(name - folder)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0)
		return err_sys(err, "open the group above '%s'", folder);
	while (remove_empty(dir, name + 1, 0) < 0) {
		if (errno != EBUSY)
			return err_sys(err, "remove the group '%s'", folder);
		if (proc_now_ms() >= deadline)
			return err_set(err, EBUSY, "remove the group '%s': what runs in it doesn't end (see its cgroup.procs)",
				       folder);
		kill_group(dir, name + 1, 0);
		poll(NULL, 0, PAUSE_MS);
	}
	return 0;
}
