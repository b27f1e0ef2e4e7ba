// SPDX-License-Identifier: GPL-2.0-or-later
// members.c - the processes of a group: listed, signalled, frozen
//
// Theory of operation. A group has a folder in several hierarchies, and all its processes are in each of them; one is enough to find
// them. A pid that was read from a file may be another process's by the time that it is used: the pidfd is opened first, and only what
// is listed once more afterwards gets the signal. Who signals all must not be outrun by forks: frozen processes don't fork, v2 has
// cgroup.kill, and without either it is done again until nobody new is found.
//
// A frozen process of v1 doesn't even die: whoever kills thaws. On v2 SIGKILL ends the frozen too. freezer-subsystem.rst, cgroup-v2.rst
#include "coso/cgroup/members.h"

#include "coso/cgroup/extend.h"
#include "coso/cgroup/hierarchy.h"
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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DEPTH_MAX = 64,        // groups that a container made in its own
	BATCH = 64,            // pidfds at a time
	LISTING_CAP = 4 << 20, // of cgroup.procs
	PAUSE_MS = 1,          // between looks
	STOP_MS = 1000,        // for freezing before a signal
	KILL_MS = 10000,       // until nobody new is found
	REFREEZE = 50,         // looks at a group of v1 that doesn't get frozen, until it is thawed for another try
};

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void add(struct arena *arena, struct cgroup_pids *pids, const char *text)
{
	int64_t pid = 0;
	if (num_i64("pid", text, 1, INT32_MAX, &pid, NULL) < 0) // 0: of another pid namespace
		return;
	pids->items = arena_grow(arena, pids->items, pids->count, sizeof(*pids->items));
	pids->items[pids->count++] = (pid_t)pid;
}

// 0, or -1 with errno. Groups that go meanwhile are none.
static int gather(struct arena *arena, int dir, const char *name, int depth, struct cgroup_pids *pids)
{
	struct err err = { 0 };
	own_fd int group = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int copy = group < 0 ? -1 : openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || depth > DEPTH_MAX) {
		errno = copy < 0 ? errno : ELOOP;
		return copy < 0 && errno == ENOENT ? 0 : -1;
	}
	char *text = file_read(arena, group, "cgroup.procs", LISTING_CAP, NULL, &err);
	// A threaded group of v2 has no list: its processes are in that of the group above.
	if (!text && err.code != ENOENT && err.code != ENODEV && err.code != EOPNOTSUPP) {
		errno = err.code;
		return -1;
	}
	struct strv lines = str_split(arena, text ? text : "", '\n');
	for (size_t i = 0; i < lines.count; i++)
		add(arena, pids, lines.items[i]);
	__attribute__((cleanup(close_dir))) DIR *list = fdopendir(copy);
	if (!list)
		return -1;
	take_fd(&copy); // the list closes it
	for (struct dirent *entry; (entry = readdir(list));)
		if (entry->d_type == DT_DIR && !str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..") &&
		    gather(arena, group, entry->d_name, depth + 1, pids) < 0)
			return -1;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
	return (x > y) - (x < y);
}

int members_list(struct arena *arena, const char *folder, struct cgroup_pids *out_pids, struct err *err)
{
	struct cgroup_pids pids = { 0 };
	if (gather(arena, AT_FDCWD, folder, 0, &pids) < 0)
		return err_sys(err, "list the processes of the group '%s'", folder);
	if (pids.count)
		qsort(pids.items, pids.count, sizeof(*pids.items), ascending);
	*out_pids = pids;
	return 0;
}

static const struct cgroup_hierarchy *find(const struct cgroup *cgroup, const char *controller)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (hierarchy->folder &&
		    (controller ? !hierarchy->v2 && hierarchy_listed(hierarchy->controllers, controller) : hierarchy->v2))
			return hierarchy;
	}
	return NULL;
}

const char *members_folder(const struct cgroup *cgroup)
{
	static const char *const preferred[] = { NULL, "pids", "freezer", "memory" };
	for (size_t i = 0; i < sizeof(preferred) / sizeof(*preferred); i++) {
		const struct cgroup_hierarchy *hierarchy = find(cgroup, preferred[i]);
		if (hierarchy)
			return hierarchy->folder;
	}
	for (size_t i = 0; i < cgroup->count; i++)
		if (cgroup->hierarchies[i].folder)
			return cgroup->hierarchies[i].folder;
	return NULL;
}

int cgroup_list(const struct cgroup *cgroup, struct arena *arena, struct cgroup_pids *out_pids, struct err *err)
{
	const char *folder = members_folder(cgroup);
	if (folder)
		return members_list(arena, folder, out_pids, err);
	*out_pids = (struct cgroup_pids){ 0 };
	return 0;
}

static bool has(const struct cgroup_pids *pids, pid_t pid)
{
	return pids->count && bsearch(&pid, pids->items, pids->count, sizeof(pid), ascending);
}

// Signals those of `pids` that still are in the group and that `before` doesn't have. Returns how many those were, or -1.
static int signal_new(const char *folder, const struct cgroup_pids *pids, const struct cgroup_pids *before, int signal,
		      struct err *err)
{
	int signalled = 0;
	for (size_t at = 0; at < pids->count;) {
		own_arena struct arena arena = { 0 };
		int handles[BATCH];
		pid_t owners[BATCH];
		size_t count = 0;
		for (; at < pids->count && count < BATCH; at++) {
			owners[count] = pids->items[at];
			handles[count] = has(before, owners[count]) ? -1 : sys_pidfd_open(owners[count], 0);
			count += handles[count] >= 0;
		}
		struct cgroup_pids still = { 0 };
		int result = members_list(&arena, folder, &still, err);
		for (size_t i = 0; i < count; i++) {
			if (result == 0 && has(&still, owners[i])) {
				signalled++;
				// What is gone already needs no signal.
				if (sys_pidfd_send_signal(handles[i], signal) < 0 && errno != ESRCH)
					result = err_sys(err, "send signal %d to process %d", signal, (int)owners[i]);
			}
			fd_close(&handles[i]);
		}
		if (result < 0)
			return -1;
	}
	return signalled;
}

static int signal_all(const char *folder, int signal, struct err *err)
{
	int64_t deadline = proc_now_ms() + KILL_MS;
	own_arena struct arena arena = { 0 };
	struct cgroup_pids before = { 0 };
	for (;;) {
		struct cgroup_pids pids = { 0 };
		if (members_list(&arena, folder, &pids, err) < 0)
			return -1;
		int signalled = signal_new(folder, &pids, &before, signal, err);
		if (signalled <= 0)
			return signalled;
		if (proc_now_ms() >= deadline)
			return err_set(err, ETIMEDOUT, "signal all processes of the group '%s': they fork faster", folder);
		before = pids;
	}
}

// --- freezing ---

static bool frozen_v1(const char *folder)
{
	own_arena struct arena arena = { 0 };
	char *state = file_read(&arena, AT_FDCWD, arena_printf(&arena, "%s/freezer.state", folder), FILE_SMALL, NULL, NULL);
	return state && str_starts(state, "FROZEN");
}

static bool frozen_v2(const char *folder)
{
	own_arena struct arena arena = { 0 };
	char *events = file_read(&arena, AT_FDCWD, arena_printf(&arena, "%s/cgroup.events", folder), FILE_SMALL, NULL, NULL);
	return events && strstr(events, "frozen 1"); // Linux 5.2
}

// A group of v1 may hang half frozen while its processes fork or trace each other: another try helps then.
static int freeze_v1(const char *folder, bool frozen, int timeout_ms, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *file = arena_printf(&arena, "%s/freezer.state", folder), *want = frozen ? "FROZEN" : "THAWED";
	int64_t deadline = proc_now_ms() + timeout_ms;
	for (int look = 1; proc_now_ms() <= deadline; look++) {
		if (file_put(AT_FDCWD, file, want, err) < 0)
			return -1;
		if (frozen_v1(folder) == frozen)
			return 0;
		if (frozen && look % REFREEZE == 0 && file_put(AT_FDCWD, file, "THAWED", err) < 0)
			return -1;
		poll(NULL, 0, PAUSE_MS);
	}
	if (frozen)
		file_put(AT_FDCWD, file, "THAWED", NULL);
	return err_set(err, ETIMEDOUT, "%s the group '%s': not reached within %d ms%s", frozen ? "freeze" : "thaw", folder,
		       timeout_ms, frozen ? "" : " (is a group above frozen?)");
}

static int freeze_v2(const char *folder, bool frozen, int timeout_ms, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const char *file = arena_printf(&arena, "%s/cgroup.freeze", folder);
	int64_t deadline = proc_now_ms() + timeout_ms;
	own_fd int events = open(arena_printf(&arena, "%s/cgroup.events", folder), O_RDONLY | O_CLOEXEC);
	if (events < 0)
		return err_sys(err, "open the events of the group '%s'", folder);
	if (file_put(AT_FDCWD, file, frozen ? "1" : "0", err) < 0)
		return -1;
	for (;;) {
		// Read first: that is what POLLPRI counts from. kernfs_generic_poll()
		char text[128];
		bool read = pread(events, text, sizeof(text), 0) > 0;
		if (read && frozen_v2(folder) == frozen)
			return 0;
		int64_t left = deadline - proc_now_ms();
		if (left <= 0)
			break;
		poll(&(struct pollfd){ .fd = events, .events = POLLPRI }, 1, (int)left);
	}
	if (frozen)
		file_put(AT_FDCWD, file, "0", NULL);
	return err_set(err, ETIMEDOUT, "%s the group '%s': not reached within %d ms%s", frozen ? "freeze" : "thaw", folder,
		       timeout_ms, frozen ? "" : " (is a group above frozen?)");
}

// The hierarchy in which the group can be frozen, if it is in one.
static const struct cgroup_hierarchy *freezer(const struct cgroup *cgroup)
{
	const struct cgroup_hierarchy *v1 = find(cgroup, "freezer");
	return v1 ? v1 : find(cgroup, NULL);
}

static int set_frozen(const struct cgroup_hierarchy *hierarchy, bool frozen, int timeout_ms, struct err *err)
{
	return (hierarchy->v2 ? freeze_v2 : freeze_v1)(hierarchy->folder, frozen, timeout_ms, err);
}

bool members_held(const struct cgroup *cgroup)
{
	const struct cgroup_hierarchy *v1 = find(cgroup, "freezer");
	return v1 && frozen_v1(v1->folder);
}

bool cgroup_is_frozen(const struct cgroup *cgroup)
{
	const struct cgroup_hierarchy *v2 = find(cgroup, NULL);
	return members_held(cgroup) || (v2 && frozen_v2(v2->folder));
}

int cgroup_freeze(struct cgroup *cgroup, bool frozen, int timeout_ms, bool *out_extended, struct err *err)
{
	bool extended = false;
	if (!freezer(cgroup)) {
		if (!frozen || !members_folder(cgroup))
			return frozen ? err_set(err, ENOTSUP, "freeze the container: it has no control group") : 0;
		if (extend_to(cgroup, "freezer", err) < 0)
			return err_wrap(err, "freeze the container");
		extended = true;
	}
	if (out_extended)
		*out_extended = extended;
	const struct cgroup_hierarchy *by = freezer(cgroup);
	return by ? set_frozen(by, frozen, timeout_ms, err) : err_set(err, ENOTSUP, "freeze the container: it has no freezer");
}

int cgroup_thaw_killed(struct cgroup *cgroup, int timeout_ms, struct err *err)
{
	return members_held(cgroup) ? set_frozen(find(cgroup, "freezer"), false, timeout_ms, err) : 0;
}

int cgroup_signal(struct cgroup *cgroup, int signal, struct err *err)
{
	own_arena struct arena arena = { 0 };
	const struct cgroup_hierarchy *v2 = find(cgroup, NULL), *by = freezer(cgroup);
	const char *folder = members_folder(cgroup);
	int result = 0;
	if (!folder)
		return 0;
	// Linux 5.14
	bool killed =
		signal == SIGKILL && v2 && file_put(AT_FDCWD, arena_printf(&arena, "%s/cgroup.kill", v2->folder), "1", NULL) == 0;
	bool stopped = !killed && by && !cgroup_is_frozen(cgroup) && set_frozen(by, true, STOP_MS, NULL) == 0;
	if (!killed)
		result = signal_all(folder, signal, err);
	if (stopped)
		set_frozen(by, false, STOP_MS, NULL);
	if (signal == SIGKILL && by && members_held(cgroup))
		set_frozen(by, false, STOP_MS, NULL);
	return result;
}
