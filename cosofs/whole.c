// SPDX-License-Identifier: GPL-2.0-or-later
// whole.c - a folder that appears whole or not at all
#include "cosofs/whole.h"

#include "cosofs/interrupt.h"
#include "cosofs/root.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/mountinfo.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 600000, LOCK_POLL_MS = 50 };

static int neighbour(const struct whole *w, const char *suffix, char out[NAME_MAX + 1], struct err *err)
{
	if (snprintf(out, NAME_MAX + 1, ".%s.%s", w->name, suffix) > NAME_MAX)
		return err_set(err, ENAMETOOLONG, "'%s': the name is too long", w->path);
	return 0;
}

// Splits the path into the parent's and the name.
static int split(struct whole *w, const char *path, char parent[PATH_MAX], struct err *err)
{
	size_t length = strlen(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (!length)
		return err_set(err, ENOENT, "the path of the folder is empty");
	if (length >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "'%.80s…': the path is too long", path);
	memcpy(w->path, path, length);
	w->path[length] = '\0';
	const char *slash = strrchr(w->path, '/'), *name = slash ? slash + 1 : w->path;
	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return err_set(err, EINVAL, "'%s' doesn't name a folder of its own (give its path)", w->path);
	if (strlen(name) > NAME_MAX)
		return err_set(err, ENAMETOOLONG, "'%.80s…': the name is too long", name);
	snprintf(w->name, sizeof(w->name), "%s", name);
	snprintf(parent, PATH_MAX, "%s", slash ? w->path : ".");
	if (slash)
		parent[slash == w->path ? 1 : slash - w->path] = '\0';
	return 0;
}

int whole_open(struct whole *w, const char *path, bool make, struct err *err)
{
	char parent[PATH_MAX];
	*w = (struct whole){ .parent = -1, .lock = -1, .work = -1 };
	if (split(w, path, parent, err) < 0 || neighbour(w, "lock", w->lock_name, err) < 0 ||
	    neighbour(w, "new", w->work_name, err) < 0 || neighbour(w, "part", w->part_name, err) < 0)
		return -1;
	if (make && access(parent, F_OK) < 0 && path_mkdirs(parent, 0700, err) < 0)
		return -1;
	own_fd int trusted = path_open_trusted(parent, err);
	if (trusted < 0)
		return -1;
	w->parent = openat(trusted, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->parent < 0 ? err_sys(err, "open '%s'", parent) : 0;
}

// Returns 1 with the lock, 0 if it is busy or was just removed by its holder, -1 on failure.
static int try_lock(struct whole *w, struct err *err)
{
	struct stat mine, there;
	own_fd int fd = openat(w->parent, w->lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &mine) < 0)
		return err_sys(err, "lock '%s' with '%s' beside it", w->path, w->lock_name);
	if (!S_ISREG(mine.st_mode) || mine.st_uid != geteuid())
		return err_set(err, EPERM, "lock '%s': '%s' beside it is not your file (remove it)", w->path, w->lock_name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : err_sys(err, "lock '%s'", w->path);
	if (fstatat(w->parent, w->lock_name, &there, AT_SYMLINK_NOFOLLOW) < 0 || there.st_ino != mine.st_ino)
		return 0;
	w->lock = take_fd(&fd);
	return 1;
}

// Removes what a killed process left under the new folder's name.
static int sweep(struct whole *w, struct err *err)
{
	struct stat st;
	if (fstatat(w->parent, w->work_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "look at '%s' beside '%s'", w->work_name, w->path);
	if (st.st_uid != geteuid())
		return err_set(err, EPERM, "'%s' beside '%s' is not yours (remove it)", w->work_name, w->path);
	log_verbose("removing what an interrupted run left of '%s'", w->path);
	return path_remove_tree(w->parent, w->work_name, err);
}

int whole_lock(struct whole *w, struct err *err)
{
	int64_t deadline = proc_now_ms() + LOCK_WAIT_MS;
	bool said = false;
	for (;;) {
		int got = try_lock(w, err);
		if (got < 0)
			return -1;
		if (got)
			return sweep(w, err);
		if (interrupt_pending())
			return err_set(err, EINTR, "interrupted");
		if (proc_now_ms() > deadline)
			return err_set(err, EBUSY, "'%s': another cosofs works on it and doesn't end", w->path);
		if (!said)
			log_verbose("another cosofs works on '%s': waiting for it", w->path);
		said = true;
		usleep(LOCK_POLL_MS * 1000);
	}
}

int whole_begin(struct whole *w, struct err *err)
{
	if (mkdirat(w->parent, w->work_name, 0700) < 0)
		return err_sys(err, "make a folder beside '%s'", w->path);
	w->work = openat(w->parent, w->work_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w->work < 0 || fchmod(w->work, 0755) < 0)
		return err_sys(err, "open the folder beside '%s'", w->path);
	return 0;
}

// A folder with a mount in it can be renamed, but not be removed whole.
static int check_mounts(const struct whole *w, struct err *err)
{
	own_arena struct arena arena = { 0 };
	char folder[PATH_MAX];
	own_fd int fd = openat(w->parent, w->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ssize_t length = readlink(arena_printf(&arena, "/proc/self/fd/%d", fd), folder, sizeof(folder) - 1);
	char *text = length < 0 ? NULL : file_read(&arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, NULL);
	if (!text)
		return 0; // path_remove_tree will see it
	folder[length] = '\0';
	struct strv lines = str_split(&arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct mountinfo line;
		if (mountinfo_parse(lines.items[i], &line) && str_starts(line.point, folder) && line.point[length] == '/')
			return err_set(err, EBUSY, "'%s' is in '%s', and something is mounted there (umount it)", line.point,
				       w->path);
	}
	return 0;
}

// A container whose launcher or monitor lives has a lock on the folder that keeps its layer; the lock is had until *out_lock is closed.
// Nobody locks a root file system, which anybody could, since everybody may read it.
static int check_unused(const struct whole *w, int *out_lock, struct err *err)
{
	own_fd int folder = openat(w->parent, w->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool kept = folder >= 0 && root_kind(w->parent, w->name) != ROOT_GOOD;
	if (kept && flock(folder, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) // elsewhere there may be no locks
		return err_set(err, EBUSY, "'%s' is in use by a container", w->path);
	*out_lock = take_fd(&folder);
	return check_mounts(w, err);
}

static int take_name(struct whole *w, bool replace, struct err *err)
{
	if (renameat2(w->parent, w->work_name, w->parent, w->name, RENAME_NOREPLACE) == 0)
		return 0;
	// EINVAL: a file system without that flag; the lock keeps others of us away, and rename(2) replaces nothing but an empty folder.
	if (errno == EEXIST || errno == EINVAL) {
		if (renameat(w->parent, w->work_name, w->parent, w->name) == 0)
			return 0;
	}
	if (!replace || (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR))
		return err_sys(err, "name the new folder '%s'", w->path);
	own_fd int lock = -1;
	if (check_unused(w, &lock, err) < 0)
		return -1;
	if (renameat2(w->parent, w->work_name, w->parent, w->name, RENAME_EXCHANGE) < 0)
		return err_sys(err, "replace '%s' (if this file system can't: cosofs remove '%s')", w->path, w->path);
	return path_remove_tree(w->parent, w->work_name, err);
}

int whole_commit(struct whole *w, bool replace, struct err *err)
{
	// One sync of the file system: a thousand times cheaper than one a file.
	if (syncfs(w->work) < 0)
		return err_sys(err, "write '%s' to the disk", w->path);
	fd_close(&w->work);
	if (take_name(w, replace, err) < 0)
		return -1;
	return fsync(w->parent) == 0 ? 0 : err_sys(err, "write the name '%s' to the disk", w->path);
}

int whole_remove(struct whole *w, struct err *err)
{
	own_fd int lock = -1;
	if (check_unused(w, &lock, err) < 0)
		return -1;
	if (renameat(w->parent, w->name, w->parent, w->work_name) < 0)
		return err_sys(err, "remove '%s'", w->path);
	return path_remove_tree(w->parent, w->work_name, err);
}

void whole_close(struct whole *w)
{
	struct err ignored;
	fd_close(&w->work);
	if (w->lock >= 0) {
		if (path_remove_tree(w->parent, w->work_name, &ignored) < 0)
			log_warning("'%s' beside '%s' stays: %s", w->work_name, w->path, ignored.msg);
		unlinkat(w->parent, w->lock_name, 0); // before the lock goes: who waits for it finds that the name is another's
	}
	fd_close(&w->lock);
	fd_close(&w->parent);
}
