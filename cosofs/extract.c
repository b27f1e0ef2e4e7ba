// SPDX-License-Identifier: GPL-2.0-or-later
// extract.c - makes the entries of an archive below a folder
#include "cosofs/extract.h"

#include "cosofs/attrs.h"
#include "cosofs/name.h"
#include "cosofs/whiteout.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// Writing back starts while the archive is still being read, so that the sync at the end finds little to do.
enum { WRITEBACK = 4 << 20 };

static const uint32_t ID_LAST = 4294967294;

struct extract_folder {
	const char *path;
	size_t order; // as in the archive: of two entries for one folder, the later counts
	mode_t mode;
	struct timespec mtime;
};

static void forget_parent(struct extract *x)
{
	fd_close(&x->parent);
}

// Makes what is missing of a path that isn't in the archive itself.
static int make_parents(int root, const char *path, struct err *err)
{
	char done[PATH_MAX];
	for (size_t i = 0;; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(done, path, i);
		done[i] = '\0';
		const char *base = strrchr(done, '/');
		size_t length = base ? (size_t)(base - done) : 0;
		char above[PATH_MAX] = ".";
		if (length) {
			memcpy(above, done, length);
			above[length] = '\0';
		}
		own_fd int parent = path_open_beneath(root, above, O_PATH | O_DIRECTORY, 0, err);
		if (parent < 0)
			return -1;
		if (mkdirat(parent, base ? base + 1 : done, 0755) < 0 && errno != EEXIST)
			return err_sys(err, "make its folder");
		if (!path[i])
			return 0;
	}
}

// Opens the folder of a name. Returns a descriptor of the extract's, or -1. Consecutive entries mostly share it.
static int open_parent(struct extract *x, const struct name *name, struct err *err)
{
	if (x->parent >= 0 && strlen(x->parent_path) == name->parent && memcmp(x->parent_path, name->path, name->parent) == 0)
		return x->parent;
	forget_parent(x);
	memcpy(x->parent_path, name->path, name->parent);
	x->parent_path[name->parent] = '\0';
	const char *path = name->parent ? x->parent_path : ".";
	x->parent = path_open_beneath(x->root, path, O_PATH | O_DIRECTORY, 0, NULL);
	if (x->parent < 0 && errno == ENOENT) {
		if (make_parents(x->root, path, err) < 0)
			return -1;
		x->parent = path_open_beneath(x->root, path, O_PATH | O_DIRECTORY, 0, NULL);
	}
	if (x->parent < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(err, errno, "its folder is a link or no folder at all, by an entry before it");
	return x->parent >= 0 ? x->parent : err_sys(err, "open its folder");
}

// Where an entry goes.
struct place {
	int parent; // of the extract
	const struct name *name;
	const struct tarball_entry *entry;
};

// Makes room for an entry where an earlier one is.
static int clear_place(const struct place *place, struct err *err)
{
	return path_remove_tree(place->parent, place->name->base, err);
}

static int write_data(struct extract *x, int fd, struct err *err)
{
	const void *data;
	size_t size;
	int64_t offset;
	off_t begun = 0;
	int more;
	while ((more = tarball_data(x->tarball, &data, &size, &offset, err)) > 0) {
		if (size > x->options.max_bytes - x->count.bytes)
			return err_set(err, ENOSPC,
				       "with it the archive needs more than %llu bytes (free disk space, or set --max-size)",
				       (unsigned long long)x->options.max_bytes);
		x->count.bytes += size;
		if (lseek(fd, offset, SEEK_SET) < 0 || fd_write_full(fd, data, size) < 0)
			return err_sys(err, "write it");
		if (offset + (off_t)size - begun >= WRITEBACK) {
			(void)sync_file_range(fd, begun, 0, SYNC_FILE_RANGE_WRITE);
			begun = offset + (off_t)size;
		}
	}
	return more;
}

static int make_file(struct extract *x, const struct place *place, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	const struct tarball_entry *entry = place->entry;
	if (entry->size < 0)
		return err_set(err, EINVAL, "its size is negative");
	own_fd int fd = openat(place->parent, place->name->base, flags, entry->mode & 0777);
	if (fd < 0 && errno == EEXIST) {
		if (clear_place(place, err) < 0)
			return -1;
		fd = openat(place->parent, place->name->base, flags, entry->mode & 0777);
	}
	if (fd < 0)
		return err_sys(err, "make it");
	if (write_data(x, fd, err) < 0)
		return -1;
	struct stat st;
	if (fstat(fd, &st) < 0 || (st.st_size != entry->size && ftruncate(fd, entry->size) < 0))
		return err_sys(err, "give it its size");
	if (attrs_set_fd(x, fd, entry, err) < 0)
		return -1;
	attrs_times(fd, entry->mtime);
	return 0;
}

static void remember_folder(struct extract *x, const struct place *place)
{
	x->folders = arena_grow(&x->arena, x->folders, x->folder_count, sizeof(*x->folders));
	x->folders[x->folder_count] = (struct extract_folder){
		.path = arena_strdup(&x->arena, place->name->path),
		.order = x->folder_count,
		.mode = place->entry->mode & 07777,
		.mtime = place->entry->mtime,
	};
	x->folder_count++;
}

static int make_folder(struct extract *x, const struct place *place, struct err *err)
{
	const char *base = place->name->base;
	mode_t mode = (place->entry->mode & 0777) | 0700; // what is in it comes later; extract_finish takes away what is too much
	bool opaque = false;
	struct stat st;
	if (mkdirat(place->parent, base, mode) < 0) {
		if (errno != EEXIST || fstatat(place->parent, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(err, "make the folder");
		opaque = x->options.layer && whiteout_is(&st);
		if (!S_ISDIR(st.st_mode) && (clear_place(place, err) < 0 || mkdirat(place->parent, base, mode) < 0))
			return err_sys(err, "make the folder");
	}
	own_fd int fd = openat(place->parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open the folder");
	if (opaque && whiteout_make_opaque(fd, err) < 0)
		return -1;
	remember_folder(x, place);
	return attrs_set_fd(x, fd, place->entry, err);
}

// The root is there already, and whoever unpacks a plain archive owns it: coso uses no root that somebody else could change.
static int take_root(struct extract *x, const struct place *place, struct err *err)
{
	struct tarball_entry entry = *place->entry;
	if (!S_ISDIR(entry.mode) || entry.hard_link)
		return err_set(err, EINVAL, "the root's own entry is no folder");
	if (!x->options.layer) {
		entry.uid = x->uid;
		entry.gid = x->gid;
		entry.mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
	}
	own_fd int fd = path_open_beneath(x->root, ".", O_RDONLY | O_DIRECTORY, 0, err);
	if (fd < 0)
		return -1;
	remember_folder(x, &(struct place){ .name = place->name, .entry = &entry });
	return attrs_set_fd(x, fd, &entry, err);
}

static int make_hard_link(struct extract *x, const struct place *place, struct err *err)
{
	struct name target;
	if (name_parse(place->entry->link, strlen(place->entry->link), &target, err) < 0)
		return err_wrap(err, "hard link");
	if (!*target.path)
		return err_set(err, EPERM, "a hard link to the root folder");
	if (str_eq(target.path, place->name->path))
		return 0;
	if (target.parent)
		target.path[target.parent] = '\0'; // target.base is what stands behind it
	own_fd int from = path_open_beneath(x->root, target.parent ? target.path : ".", O_PATH | O_DIRECTORY, 0, NULL);
	int result = from < 0 ? -1 : linkat(from, target.base, place->parent, place->name->base, 0);
	if (result < 0 && from >= 0 && errno == EEXIST) {
		if (clear_place(place, err) < 0)
			return -1;
		result = linkat(from, target.base, place->parent, place->name->base, 0);
	}
	if (result < 0 && errno == ENOENT && x->count.devices) {
		x->count.devices++;
		return 0;
	}
	if (result < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "a hard link to '%s', which isn't before it in the archive", target.shown);
	return result < 0 ? err_sys(err, "hard link to '%s'", target.shown) : 0;
}

// A symbolic link, device, FIFO or socket: no data, nothing to open. Returns 0, or -1 with errno.
static int create_special(const struct place *place)
{
	const struct tarball_entry *entry = place->entry;
	if (S_ISLNK(entry->mode))
		return symlinkat(entry->link, place->parent, place->name->base);
	return mknodat(place->parent, place->name->base, entry->mode & (S_IFMT | 0777), entry->rdev);
}

static int make_special(struct extract *x, const struct place *place, struct err *err)
{
	const struct tarball_entry *entry = place->entry;
	bool device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
	if (S_ISLNK(entry->mode) && (!entry->link || !*entry->link))
		return err_set(err, EINVAL, "a symbolic link to nothing");
	// A character device 0:0 is overlayfs's whiteout: only ".wh." marks make those.
	if (device && entry->rdev == 0) {
		x->count.devices++;
		return 0;
	}
	int result = create_special(place);
	if (result < 0 && errno == EEXIST) {
		if (clear_place(place, err) < 0)
			return -1;
		result = create_special(place);
	}
	if (result < 0 && errno == EPERM && device) {
		x->count.devices++;
		return 0;
	}
	if (result < 0)
		return err_sys(err, "make it");
	return attrs_set_at(x, place->parent, place->name->base, entry, err);
}

static int make_mark(struct extract *x, const struct place *place, enum name_mark mark, const char *target, struct err *err)
{
	if (S_ISDIR(place->entry->mode))
		return err_set(err, EINVAL, "a whiteout that is a folder");
	if (mark == NAME_INTERNAL || !x->options.layer) {
		x->count.marks++;
		return 0;
	}
	if (mark == NAME_WHITEOUT)
		return whiteout_make(place->parent, target, err);
	own_fd int fd = openat(place->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open its folder") : whiteout_make_opaque(fd, err);
}

static int make(struct extract *x, struct place *place, struct err *err)
{
	const struct tarball_entry *entry = place->entry;
	enum name_mark mark;
	const char *target;
	if (entry->uid < 0 || entry->uid > ID_LAST || entry->gid < 0 || entry->gid > ID_LAST)
		return err_set(err, EINVAL, "its owner %lld:%lld is out of range", (long long)entry->uid, (long long)entry->gid);
	if (!*place->name->path)
		return take_root(x, place, err);
	if (name_mark(place->name, &mark, &target, err) < 0)
		return -1;
	place->parent = open_parent(x, place->name, err);
	if (place->parent < 0)
		return -1;
	if (mark != NAME_PLAIN)
		return make_mark(x, place, mark, target, err);
	if (entry->hard_link)
		return make_hard_link(x, place, err);
	switch (entry->mode & S_IFMT) {
	case S_IFREG:
		return make_file(x, place, err);
	case S_IFDIR:
		return make_folder(x, place, err);
	case S_IFLNK:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
		return make_special(x, place, err);
	}
	return err_set(err, EINVAL, "an entry of unknown type %06o", entry->mode & S_IFMT);
}

void extract_begin(struct extract *x, int root, struct tarball *tarball, const struct extract_options *options)
{
	*x = (struct extract){
		.root = root,
		.tarball = tarball,
		.options = *options,
		.uid = geteuid(),
		.gid = getegid(),
		.parent = -1,
	};
	umask(0);
}

int extract_entry(struct extract *x, const struct tarball_entry *entry, struct err *err)
{
	struct name name;
	struct place place = { .parent = -1, .name = &name, .entry = entry };
	if (name_parse(entry->path, strlen(entry->path), &name, err) < 0)
		return -1;
	if (++x->count.entries > x->options.max_entries)
		return err_set(err, EFBIG, "it has more than %llu entries (--max-entries)",
			       (unsigned long long)x->options.max_entries);
	return make(x, &place, err) < 0 ? err_wrap(err, "'%s'", name.shown) : 0;
}

// What is inside a folder before the folder, and of two entries for one folder the later before the earlier.
static int compare(const void *a, const void *b)
{
	const struct extract_folder *left = a, *right = b;
	int order = strcmp(right->path, left->path);
	return order ? order : left->order < right->order ? 1 : -1;
}

int extract_finish(struct extract *x, struct err *err)
{
	if (x->folder_count)
		qsort(x->folders, x->folder_count, sizeof(*x->folders), compare);
	for (size_t i = 0; i < x->folder_count; i++) {
		const struct extract_folder *f = &x->folders[i];
		if (i && str_eq(f->path, x->folders[i - 1].path))
			continue;
		own_fd int fd = path_open_beneath(x->root, *f->path ? f->path : ".", O_RDONLY | O_DIRECTORY, 0, err);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) // a later entry took its place
			continue;
		if (fd < 0)
			return -1;
		if (fchmod(fd, f->mode) < 0)
			return err_sys(err, "set the mode of folder '%s'", f->path);
		attrs_times(fd, f->mtime);
	}
	return 0;
}

void extract_free(struct extract *x)
{
	forget_parent(x);
	arena_free(&x->arena);
}
