// SPDX-License-Identifier: GPL-2.0-or-later
// setup.c - gets coso its root file system
#include "cosofs/setup.h"

#include "cosofs/builtin.h"
#include "cosofs/digest.h"
#include "cosofs/fetch.h"
#include "cosofs/interrupt.h"
#include "cosofs/release.h"
#include "cosofs/root.h"
#include "cosofs/source.h"
#include "cosofs/unpack.h"
#include "cosofs/userns.h"
#include "cosofs/whole.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t DOWNLOAD_MAX = (uint64_t)4 << 30; // bytes
enum { COPY_STEP = 1 << 20 };

struct work {
	struct arena *arena;
	const struct setup *setup;
	struct whole *whole;
	struct extract_count count;
};

const char *setup_default(struct arena *arena, struct err *err)
{
	if (geteuid() == 0)
		return "/tmp/coso/rootfs";
	// The XDG base directory specification: a relative path is invalid and to be ignored.
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (data && *data == '/')
		return arena_printf(arena, "%s/coso/rootfs", data);
	if (home && *home == '/')
		return arena_printf(arena, "%s/.local/share/coso/rootfs", home);
	err_set(err, ENOENT, "no folder for the root file system: HOME isn't set (give one: --rootfs DIR)");
	return NULL;
}

static int say(const struct work *work, const char *what)
{
	own_fd int root = openat(work->whole->parent, work->whole->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (log_level() > LOG_LEVEL_QUIET)
		printf("%s: %s, %s\n", work->whole->path, root_title(work->arena, root), what);
	return 0;
}

// Returns 1 if there is nothing left to do, 0 if the root is to be made, -1 if something else is in its place.
static int look(const struct work *work, struct err *err)
{
	const struct whole *w = work->whole;
	enum root_kind kind = root_kind(w->parent, w->name);
	if (kind == ROOT_MISSING || kind == ROOT_EMPTY || work->setup->force)
		return 0;
	if (kind == ROOT_GOOD)
		return 1;
	return err_set(err, EEXIST,
		       "'%s' is there and no root file system: it has no /bin/sh (move it away, or replace it: --force)", w->path);
}

static int unpack_tarball(struct work *work, int archive, const char *name, struct err *err)
{
	struct unpack unpack = { .archive = archive, .name = name, .folder = work->whole->work };
	return unpack_run(&unpack, &work->count, err);
}

// The download so far, or a file's copy, beside the root: nobody else's file.
static int open_part(const struct whole *w, struct err *err)
{
	struct stat st;
	own_fd int fd = openat(w->parent, w->part_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, "make '%s' beside '%s' for the download", w->part_name, w->path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return err_set(err, EPERM, "'%s' beside '%s' is not your file (remove it)", w->part_name, w->path);
	return take_fd(&fd);
}

// The archive may be somebody else's, who writes to it meanwhile: what is unpacked is the copy that was checked.
static int copy_checked(const struct work *work, int archive, int copy, struct err *err)
{
	const char *path = work->setup->tarball, *want = work->setup->sha256;
	char hex[DIGEST_HEX + 1];
	ssize_t n = ftruncate(copy, 0);
	for (uint64_t size = 0; n >= 0; size += (uint64_t)n) {
		if (interrupt_pending())
			return err_set(err, EINTR, "interrupted");
		if (size > DOWNLOAD_MAX)
			return err_set(err, EFBIG, "'%s' is too large", path);
		n = sendfile(copy, archive, NULL, COPY_STEP);
		if (n == 0)
			break;
	}
	if (n < 0)
		return err_sys(err, "copy '%s' beside '%s'", path, work->whole->path);
	if (digest_file(copy, hex, err) < 0)
		return err_wrap(err, "'%s'", path);
	if (strcasecmp(hex, want) != 0)
		return err_set(err, EBADMSG, "'%s': its SHA-256 is %s, and not %s", path, hex, want);
	return lseek(copy, 0, SEEK_SET) < 0 ? err_sys(err, "read the copy of '%s'", path) : 0;
}

static int from_file(struct work *work, struct err *err)
{
	const char *path = work->setup->tarball;
	own_fd int archive = source_open_file(path, err);
	if (archive < 0)
		return -1;
	if (!work->setup->sha256)
		return unpack_tarball(work, archive, path, err);
	own_fd int copy = open_part(work->whole, err);
	if (copy < 0)
		return -1;
	int result = copy_checked(work, archive, copy, err);
	if (result == 0)
		result = unpack_tarball(work, copy, path, err);
	unlinkat(work->whole->parent, work->whole->part_name, 0);
	return result;
}

static enum fetch_result from_url(struct work *work, const struct fetch *fetch, struct err *err)
{
	const struct whole *w = work->whole;
	own_fd int part = open_part(w, err);
	if (part < 0)
		return FETCH_FAILED;
	log_verbose("downloading %s", fetch->url);
	enum fetch_result result = fetch_file(fetch, part, err);
	if (result == FETCH_OK && (lseek(part, 0, SEEK_SET) < 0 || unpack_tarball(work, part, fetch->url, err) < 0))
		result = FETCH_FAILED;
	struct stat st;
	bool resumable = (result == FETCH_UNREACHABLE || err->code == EINTR) && fstat(part, &st) == 0 && st.st_size > 0;
	if (result == FETCH_OK || !resumable)
		unlinkat(w->parent, w->part_name, 0);
	return result;
}

// The pinned release; where it can't be had, the built-in root, and one line that says so.
static int from_release(struct work *work, struct err *err)
{
	struct release release;
	if (release_find(work->arena, work->setup->release_file, &release, err) < 0) {
		if (err->code != ENOENT || work->setup->release_file)
			return -1;
		log_warning("%s: making the built-in root instead", err->msg);
		return builtin_make(work->arena, work->whole->work, err);
	}
	struct fetch fetch = {
		.url = release.url,
		.sha256 = release.sha256,
		.max = DOWNLOAD_MAX,
		.what = arena_printf(work->arena, "Alpine Linux %s", release.version),
	};
	enum fetch_result result = from_url(work, &fetch, err);
	if (result != FETCH_UNREACHABLE)
		return result == FETCH_OK ? 0 : -1;
	log_warning("%s: making the built-in root instead", err->msg);
	return builtin_make(work->arena, work->whole->work, err);
}

static int fill(struct work *work, struct err *err)
{
	const struct setup *setup = work->setup;
	if (setup->builtin)
		return builtin_make(work->arena, work->whole->work, err);
	if (!setup->tarball)
		return from_release(work, err);
	if (!source_is_url(setup->tarball))
		return from_file(work, err);
	struct fetch fetch = { .url = setup->tarball, .sha256 = setup->sha256, .max = DOWNLOAD_MAX, .what = setup->tarball };
	return from_url(work, &fetch, err) == FETCH_OK ? 0 : -1;
}

// A set-id program of a root that others can enter is theirs to run. CVE-2021-41091.
static void warn_exposed(const struct work *work)
{
	struct stat st;
	if (work->count.setid && fstat(work->whole->parent, &st) == 0 && (st.st_mode & S_IXOTH))
		log_warning("other users can run the %llu set-id programs in '%s' (chmod go-rwx the folder above it)",
			    (unsigned long long)work->count.setid, work->whole->path);
}

static int make(struct work *work, struct err *err)
{
	struct whole *w = work->whole;
	if (whole_begin(w, err) < 0 || fill(work, err) < 0)
		return -1;
	if (root_kind(w->parent, w->work_name) != ROOT_GOOD)
		return err_set(err, EINVAL,
			       "'%s' is no root file system: it has no /bin/sh (to unpack it all the same: cosofs unpack)",
			       work->setup->tarball ? work->setup->tarball : "the tarball");
	root_warn_machine(w->work);
	if (whole_commit(w, work->setup->force, err) < 0)
		return -1;
	unpack_warn(&work->count);
	warn_exposed(work);
	return say(work, "ready");
}

// What is there already must be trusted before it is called good: coso would refuse it.
static int check_there(const char *path, struct err *err)
{
	if (access(path, F_OK) < 0)
		return 0;
	own_fd int there = path_open_trusted(path, err);
	return there < 0 && err->code != ENOTDIR ? -1 : 0;
}

int setup_run(struct arena *arena, const struct setup *setup, struct err *err)
{
	struct whole w;
	enum userns kind;
	struct work work = { .arena = arena, .setup = setup, .whole = &w };
	const char *path = setup->rootfs ? setup->rootfs : setup_default(arena, err);
	if (!path)
		return -1;
	int done = whole_open(&w, path, true, err);
	if (done == 0)
		done = check_there(w.path, err);
	if (done == 0)
		done = userns_enter(&kind, err);
	if (done == 0)
		done = look(&work, err);
	if (done == 0 && whole_lock(&w, err) < 0)
		done = -1;
	else if (done == 0) // somebody may have made it while we waited
		done = look(&work, err);
	int result = done < 0 ? -1 : done == 0 ? make(&work, err) : say(&work, "was there already (--force replaces it)");
	whole_close(&w);
	return result;
}
