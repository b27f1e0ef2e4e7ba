// SPDX-License-Identifier: GPL-2.0-or-later
// restore.c - a launch whose processes come from criu's images
#include "coso/launch/restore.h"

#include "coso/launch/cgroupmount.h"
#include "coso/launch/checkpoint.h"
#include "coso/launch/delegate.h"
#include "coso/launch/devices.h"
#include "coso/launch/hooks.h"
#include "coso/launch/idmount.h"
#include "coso/launch/launch.h"
#include "coso/launch/lo.h"
#include "coso/launch/names.h"
#include "coso/launch/stage.h"
#include "coso/launch/tmpfs.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/mountinfo.h"
#include "shared/num.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS_MAX = EXTERNAL_STREAMS + 2, END_MS = 10000 };

static const char staging_name[] = "/tmp/coso-restore.XXXXXX"; // where criu, too, puts mounts together

// What is known while criu runs.
struct making {
	struct launch *launch;
	char folder[sizeof(staging_name)]; // of the staging, which is mounted in the mount namespace of criu alone
	struct strv words;
	int fds[FDS_MAX];
	size_t fd_count;
};

static void push(struct making *m, struct strv *words, const char *option, const char *value)
{
	strv_push(m->launch->arena, words, option);
	strv_push(m->launch->arena, words, value);
}

// Inside. criu rewrites where processes were by where it is itself, controller by controller.
static int tell_groups(struct making *m, struct strv *words, struct err *err)
{
	struct arena *a = m->launch->arena;
	char *text = file_read(a, AT_FDCWD, "/proc/self/cgroup", FILE_SMALL, NULL, err);
	if (!text)
		return -1;
	struct strv lines = str_split(a, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		char *names = strchr(lines.items[i], ':'), *path = names ? strchr(names + 1, ':') : NULL;
		if (!path)
			continue;
		struct strv controllers = str_split(a, arena_strndup(a, names + 1, (size_t)(path - names - 1)), ',');
		for (size_t j = 0; j < controllers.count; j++)
			push(m, words, "--cgroup-root", arena_printf(a, "%s%s", controllers.items[j], path));
	}
	return 0;
}

// What covers it comes from the images, and the mount points on it with that.
static bool is_covered(const struct mounts *mounts, size_t index)
{
	const char *path = mounts->items[index].path;
	for (size_t i = 0; i < index; i++) {
		const struct mounts_item *above = &mounts->items[i];
		size_t length = str_eq(above->path, "/") ? 0 : strlen(above->path);
		if (above->kind != MOUNTS_LINK && above->kind != MOUNTS_REMOUNT && str_starts(path, above->path) &&
		    path[length] == '/')
			return true;
	}
	return false;
}

static int make_point(struct launch *launch, size_t index, struct err *err)
{
	const struct mounts_item *item = &launch->mounts.items[index];
	if (item->kind == MOUNTS_LINK || item->kind == MOUNTS_REMOUNT || str_eq(item->path, "/") ||
	    is_covered(&launch->mounts, index))
		return 0;
	own_fd int point = path_mountpoint_in(launch->rootfs.root, item->path, !item->file, err);
	return point < 0 ? err_wrap(err, "mount point '%s'", item->path) : 0;
}

// The mount gets a name that criu finds it by.
static int stage_bind(struct launch *launch, int staging, struct mounts_item *item, const char *name, struct err *err)
{
	own_fd int tree = mounts_open_bind(launch, item, err);
	if (tree < 0)
		return -1;
	own_fd int file = item->file ? openat(staging, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (item->file ? file < 0 : mkdirat(staging, name, 0700) < 0)
		return err_sys(err, "make a place for '%s'", item->path);
	if (sys_move_mount(tree, "", staging, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "mount '%s'", item->path);
	return 0;
}

static void tell_mount(struct making *m, struct strv *words, const char *key, const char *name)
{
	struct arena *a = m->launch->arena;
	push(m, words, "--ext-mount", checkpoint_mount(a, key, arena_printf(a, "%s/%s", m->folder, name)));
}

static int stage_tree(int staging, const char *name, int tree, struct err *err)
{
	if (mkdirat(staging, name, 0755) < 0 || sys_move_mount(tree, "", staging, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "mount '%s'", name);
	return 0;
}

// Those of a user namespace, which can't have nodes of its own.
static int stage_devices(struct making *m, int staging, struct strv *words, struct err *err)
{
	static const char name[] = "devices";
	struct launch *launch = m->launch;
	const bool own = launch->devices >= 0;
	if (own && stage_tree(staging, name, launch->devices, err) < 0)
		return -1;
	for (size_t i = 0; i < devices_count(launch->spec); i++) {
		const char *path = devices_path(launch->spec, i), *key = path ? path_clean(launch->arena, path) : NULL;
		if (path && own)
			tell_mount(m, words, key, arena_printf(launch->arena, "%s/%zu", name, i));
		else if (path)
			push(m, words, "--ext-mount", checkpoint_mount(launch->arena, key, path));
	}
	return 0;
}

// With a cgroup namespace criu mounts them itself.
static int stage_groups(struct making *m, int staging, const struct mounts_item *item, const char *name, struct strv *words,
			struct err *err)
{
	struct launch *launch = m->launch;
	for (size_t i = 0; i < launch->cgroup.count; i++) {
		const struct cgroup_hierarchy *h = &launch->cgroup.hierarchies[i];
		const char *place = arena_printf(launch->arena, "%s.%zu", name, i);
		if (!h->folder || launch_has(launch, CLONE_NEWCGROUP))
			continue;
		own_fd int tree = cgroupmount_open(h, item, err);
		if (tree < 0 || stage_tree(staging, place, tree, err) < 0)
			return -1;
		tell_mount(m, words, item->path, place);
		tell_mount(m, words, arena_printf(launch->arena, "%s/%s", item->path, cgroupmount_name(h)), place);
	}
	return 0;
}

static uint32_t root_of(const struct spec_idmaps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->items[i].container == 0)
			return maps->items[i].host;
	}
	return 0;
}

// criu reads them as root at first, and then as the container's: they stay root's, and the container's root is let in as their group.
// Where a file system can't do that, their modes decide.
static int stage_images(struct making *m, int staging, struct strv *words, struct err *err)
{
	static const char name[] = "images";
	struct launch *launch = m->launch;
	struct spec_idmap same = { .size = 1 }, group = { .host = root_of(&launch->spec->gid_maps), .size = 1 };
	const struct spec_idmaps uids = { &same, 1 }, gids = { &group, 1 };
	own_fd int userns = idmount_userns(launch, &uids, &gids, err);
	own_fd int tree = sys_open_tree(AT_FDCWD, launch->restore->images, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (userns < 0)
		return -1;
	if (tree < 0)
		return err_sys(err, "clone the mount of '%s'", launch->restore->images);
	if (idmount_map(tree, userns, false) < 0)
		return 0;
	if (stage_tree(staging, name, tree, err) < 0)
		return -1;
	push(m, words, "--image-path", arena_printf(launch->arena, "%s/%s", m->folder, name));
	return 0;
}

static int stage_mounts(struct making *m, int staging, struct strv *words, struct err *err)
{
	struct launch *launch = m->launch;
	for (size_t i = 0; i < launch->mounts.count; i++) {
		struct mounts_item *item = &launch->mounts.items[i];
		const char *name = arena_printf(launch->arena, "%zu", i);
		if (item->kind == MOUNTS_BIND) {
			if (stage_bind(launch, staging, item, name, err) == 0)
				tell_mount(m, words, item->mount->key ? item->mount->key : item->path, name);
			else if (!item->mount->optional)
				return -1;
		}
		if (item->kind == MOUNTS_CGROUP && stage_groups(m, staging, item, name, words, err) < 0)
			return -1;
		if (make_point(launch, i, err) < 0)
			return -1;
	}
	return 0;
}

// What came with recursive bind mounts.
static int tell_below(struct making *m, struct strv *words, struct err *err)
{
	struct launch *launch = m->launch;
	char *text = file_read(launch->arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, err);
	if (!text)
		return -1;
	struct strv lines = str_split(launch->arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct mountinfo line;
		if (!mountinfo_parse(lines.items[i], &line) || !str_starts(line.point, m->folder))
			continue;
		for (size_t j = 0; j < launch->mounts.count; j++) {
			const struct mounts_item *item = &launch->mounts.items[j];
			const char *top = arena_printf(launch->arena, "%s/%zu/", m->folder, j);
			if (item->kind == MOUNTS_BIND && str_starts(line.point, top))
				push(m, words, "--ext-mount",
				     checkpoint_mount(launch->arena,
						      arena_printf(launch->arena, "%s/%s", item->path, line.point + strlen(top)),
						      line.point));
		}
	}
	return 0;
}

static int stage(struct making *m, struct strv *words, struct err *err)
{
	const struct tmpfs tmpfs = { .what = "bind mounts", .source = "coso", .mode = "0755" };
	own_fd int staging = tmpfs_new(&tmpfs, err);
	if (staging < 0)
		return -1;
	if (sys_move_mount(staging, "", AT_FDCWD, m->folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(err, "mount a tmpfs on '%s'", m->folder);
	if (stage_mounts(m, staging, words, err) < 0 || tell_below(m, words, err) < 0)
		return -1;
	if (!launch_has_userns(m->launch))
		return 0;
	return stage_devices(m, staging, words, err) < 0 ? -1 : stage_images(m, staging, words, err);
}

// Inside, in what becomes coso-criu. Should: be in the container's group before criu forks anything. Mustn't: change the host's mounts.
static int prepare(void *owner, struct strv *words, struct err *err)
{
	struct making *m = owner;
	struct launch *launch = m->launch;
	if (launch->cgroup.path && cgroup_join(&launch->cgroup, false, err) < 0)
		return -1;
	if (tell_groups(m, words, err) < 0)
		return -1;
	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, "unshare the mount namespace");
	if (rootfs_attach(launch, err) < 0)
		return -1;
	if (launch->rootfs.staging >= 0)
		return err_set(err, ENOENT, "the root file system '%s' can't be reached", launch->spec->root.path);
	push(m, words, "--root", launch->spec->root.path);
	return stage(m, words, err);
}

// Inside the network namespace of `pid`.
static int enter_network(const struct spec *spec, pid_t pid, struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	own_fd int net = open(path, O_RDONLY | O_CLOEXEC);
	if (net < 0 || setns(net, CLONE_NEWNET) < 0)
		return err_sys(err, "enter the container's network namespace");
	return lo_raise(err) < 0 ? -1 : names_set_network(spec, err);
}

// What a launch does in a new one, and what hooks don't: lo and sysctls.
static int fill_network(struct launch *launch, struct err *err)
{
	struct err why = { 0 };
	int report[2], status;
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid_t pid = fork();
	if (pid == 0) {
		if (enter_network(launch->spec, launch->pid, &why) < 0)
			(void)!write(report[1], &why, sizeof(why));
		_exit(0);
	}
	fd_close(&report[1]);
	int result = pid < 0 ? err_sys(err, "fork") : 0;
	if (pid > 0 && fd_read_full(report[0], &why, sizeof(why)) == (ssize_t)sizeof(why))
		result = err_set(err, why.code, "%s", why.msg);
	if (pid > 0)
		waitpid(pid, &status, 0);
	fd_close(&report[0]);
	return result;
}

static int begin_container(struct launch *launch, pid_t pid, struct err *err)
{
	struct arena *a = launch->arena;
	const struct spec *spec = launch->spec;
	launch->pid = pid;
	launch->pidfd = sys_pidfd_open(pid, 0);
	if (launch->pidfd < 0)
		return err_sys(err, "open the container's first process");
	if (launch->note && launch->note(launch, err) < 0)
		return -1;
	if (hooks_run(a, spec, SPEC_HOOK_PRESTART, hooks_state(a, spec, "created", pid), err) < 0)
		return -1;
	if (hooks_run(a, spec, SPEC_HOOK_CREATE_RUNTIME, hooks_state(a, spec, "creating", pid), err) < 0)
		return -1;
	return launch->restore->empty_network ? fill_network(launch, err) : 0;
}

static int notify(void *owner, struct checkpoint_notice *notice, struct err *err)
{
	struct making *m = owner;
	struct launch *launch = m->launch;
	if (launch_is_interrupted(launch, err))
		return -1;
	if (str_eq(notice->name, "setup-namespaces"))
		return begin_container(launch, notice->pid, err);
	if (str_eq(notice->name, "orphan-pts-master") && launch->console < 0)
		launch->console = take_fd(&notice->fd);
	return 0;
}

static int pass_fd(struct making *m, int fd, const char *key)
{
	if (fd < 0 || m->fd_count == FDS_MAX)
		return -1;
	m->fds[m->fd_count++] = fd;
	push(m, &m->words, "--inherit-fd", arena_printf(m->launch->arena, "%d:%s", fd, key));
	return 0;
}

static int pass_streams(struct making *m, struct err *err)
{
	for (int fd = 0; fd < EXTERNAL_STREAMS; fd++) {
		const char *key = m->launch->restore->streams[fd];
		if (*key && pass_fd(m, fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), key) < 0)
			return err_sys(err, "pass on descriptor %d", fd);
	}
	return 0;
}

static int pass_namespaces(struct making *m, struct err *err)
{
	const struct spec *spec = m->launch->spec;
	for (size_t i = 0; i < spec->join_count; i++) {
		const struct spec_join *join = &spec->joins[i];
		const char *key = join->flag == CLONE_NEWNET ? EXTERNAL_NET : join->flag == CLONE_NEWPID ? EXTERNAL_PID : NULL;
		if (key && pass_fd(m, open(join->path, O_RDONLY | O_CLOEXEC), key) < 0)
			return err_sys(err, "open namespace '%s'", join->path);
		if (join->flag == CLONE_NEWIPC || join->flag == CLONE_NEWUTS)
			push(m, &m->words, "--join-ns",
			     arena_printf(m->launch->arena, "%s:%s", join->flag == CLONE_NEWIPC ? "ipc" : "uts", join->path));
	}
	return 0;
}

static int have_it_made(struct making *m, struct err *err)
{
	struct launch *launch = m->launch;
	const char *value;
	uint64_t pid;
	const struct checkpoint checkpoint = {
		.arena = launch->arena,
		.words = &m->words,
		.fds = m->fds,
		.fd_count = m->fd_count,
		.prepare = prepare,
		.notify = notify,
		.owner = m,
		.cancel_fd = launch->signals,
	};
	if (checkpoint_run(&checkpoint, &value, err) < 0)
		return -1;
	if (num_u64("pid", value, 1, INT_MAX, &pid, err) < 0 || (pid_t)pid != launch->pid)
		return err_set(err, EBADMSG, "criu: it has restored another process (%.20s) than it said", value);
	return 0;
}

static int run_criu(struct launch *launch, struct err *err)
{
	struct making m = { .launch = launch };
	int result = -1;
	strv_push(launch->arena, &m.words, "restore");
	for (size_t i = 0; i < launch->restore->words->count; i++)
		strv_push(launch->arena, &m.words, launch->restore->words->items[i]);
	if (launch->restore->empty_network)
		push(&m, &m.words, "--empty-ns", "network");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(err, "become a subreaper");
	memcpy(m.folder, staging_name, sizeof(m.folder));
	if (!mkdtemp(m.folder))
		return err_sys(err, "make a folder in /tmp");
	if (pass_streams(&m, err) == 0 && pass_namespaces(&m, err) == 0)
		result = have_it_made(&m, err);
	for (size_t i = 0; i < m.fd_count; i++)
		fd_close(&m.fds[i]);
	rmdir(m.folder);
	return result;
}

// It is our child by now, or was ended by criu, whose affair it still is.
static void undo_criu(struct launch *launch)
{
	int status;
	if (launch->pidfd >= 0) {
		sys_pidfd_send_signal(launch->pidfd, SIGKILL);
		if (proc_wait(launch->pidfd, END_MS, &status) < 0)
			fd_wait(launch->pidfd, END_MS);
	}
	fd_close(&launch->pidfd);
	fd_close(&launch->console);
}

static const struct stage outside[] = {
	{ "root", "open the rootfs", NULL, NULL, rootfs_prepare, rootfs_remove },
	{ "cgroup", "make a control group and set its limits", launch_wants_cgroup, NULL, launch_make_cgroup,
	  launch_remove_cgroup },
	{ "delegate", "give the group on v2 to the program's user", delegate_wanted, NULL, delegate_run, NULL },
	{ "sources", "open what will be mounted from the host", NULL, NULL, launch_open_sources, launch_close_sources },
	{ "images", "have criu make the processes, of its images", NULL, NULL, run_criu, undo_criu },
	{ 0 },
};

void restore_init(struct launch *launch, const struct restore *restore)
{
	launch->outside = outside;
	launch->restore = restore;
}
