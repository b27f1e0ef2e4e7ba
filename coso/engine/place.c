// SPDX-License-Identifier: GPL-2.0-or-later
// place.c - the engine's folders
#include "coso/engine/place.h"

#include "coso/cgroup/cgroup.h"
#include "coso/launch/rootfs.h"
#include "coso/spec/caller.h"
#include "shared/fd.h"
#include "shared/hash.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAKE_TRIES = 5 };

// An ordinary user's folder of a kind, as the XDG base directory specification has it.
static const char *user_folder(struct arena *arena, const char *variable, const char *below_home)
{
	const char *value = getenv(variable), *home = getenv("HOME");
	if (value && value[0] == '/')
		return arena_printf(arena, "%s/coso", value);
	return arena_printf(arena, "%s/%s/coso", home && home[0] == '/' ? home : "/", below_home);
}

// A login session has a folder for what runs. Where there is none, as in cron's jobs, states lie beside the data. What one folder of
// states tells of isn't what another's tells of: each has data of its own.
static void name_user_folders(struct arena *arena, struct place *place)
{
	const char *session = getenv("XDG_RUNTIME_DIR"), *data = user_folder(arena, "XDG_DATA_HOME", ".local/share");
	const char *standard = arena_printf(arena, "/run/user/%u", (unsigned int)geteuid());
	char real[PATH_MAX];
	if (!session || session[0] != '/')
		session = access(standard, W_OK) == 0 ? standard : NULL;
	else
		session = realpath(session, real) ? arena_strdup(arena, real) : path_clean(arena, session);
	place->run = arena_printf(arena, session ? "%s/coso" : "%s/run", session ? session : data);
	if (!session)
		place->lib = arena_printf(arena, "%s/lib", data);
	else if (str_eq(session, standard))
		place->lib = data;
	else
		place->lib = arena_printf(arena, "%s/sessions/%016" PRIx64, data, hash_bytes(session, strlen(session)));
}

static int open_folder(const char *path, struct err *err)
{
	own_fd int fd = path_open_trusted(path, err);
	if (fd < 0 && err->code == ENOENT && path_mkdirs(path, 0700, err) == 0)
		fd = path_open_trusted(path, err);
	if (fd < 0)
		return -1;
	int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return readable < 0 ? err_sys(err, "open '%s'", path) : readable;
}

// A folder in one that nobody else can write to.
static int open_below(int parent, const char *path, const char *name, struct err *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT && mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make folder '%s/%s'", path, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open '%s/%s'", path, name) : fd;
}

static int open_folders(struct place *place, struct err *err)
{
	place->run_fd = open_folder(place->run, err);
	place->owners_fd = place->run_fd < 0 ? -1 : open_below(place->run_fd, place->run, ".owners", err);
	place->lib_fd = place->owners_fd < 0 ? -1 : open_folder(place->lib, err);
	place->cache_fd = place->lib_fd < 0 ? -1 : open_below(place->lib_fd, place->lib, "cache", err);
	return place->cache_fd < 0 ? -1 : 0;
}

static int name_folders(struct arena *arena, const char *root, struct place *out_place, struct err *err)
{
	struct place place = { .run_fd = -1, .owners_fd = -1, .lib_fd = -1, .cache_fd = -1 };
	char full[PATH_MAX];
	if (root) {
		const char *real = realpath(root, full);
		if (!real && errno != ENOENT) // who only looks may find nothing
			return err_sys(err, "--root '%s'", root);
		place.run = arena_printf(arena, "%s/run", real ? real : root);
		place.lib = arena_printf(arena, "%s/lib", real ? real : root);
	} else if (caller_owns_system()) {
		place.is_system = true;
		place.run = "/run/coso";
		place.lib = "/var/lib/coso";
	} else {
		name_user_folders(arena, &place);
	}
	*out_place = place;
	return 0;
}

int place_look(struct arena *arena, const char *root, struct place *out_place, struct err *err)
{
	struct place place;
	if (name_folders(arena, root, &place, err) < 0)
		return -1;
	place.run_fd = path_open_trusted(place.run, NULL);
	*out_place = place;
	return 0;
}

int place_open(struct arena *arena, const char *root, struct place *out_place, struct err *err)
{
	struct place place;
	if (root && path_mkdirs(root, 0700, err) < 0)
		return err_wrap(err, "--root");
	if (name_folders(arena, root, &place, err) < 0)
		return -1;
	if (open_folders(&place, err) < 0) {
		place_close(&place);
		return root ? err_wrap(err, "--root") : -1;
	}
	*out_place = place;
	return 0;
}

int place_open_cache(struct arena *arena)
{
	struct place place;
	struct err why = { 0 };
	if (name_folders(arena, NULL, &place, &why) < 0)
		return -1;
	own_fd int lib = open_folder(place.lib, &why);
	return lib < 0 ? -1 : open_below(lib, place.lib, "cache", &why);
}

void place_close(struct place *place)
{
	fd_close(&place->run_fd);
	fd_close(&place->owners_fd);
	fd_close(&place->lib_fd);
	fd_close(&place->cache_fd);
}

// -1 with EWOULDBLOCK: its owner lives. ESTALE: it was removed before it was locked.
static int open_locked(int parent, const char *name)
{
	struct stat own, found;
	own_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)) // elsewhere there may be no locks
		return -1;
	if (fstat(fd, &own) == 0 && fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && own.st_ino == found.st_ino)
		return take_fd(&fd);
	errno = ESTALE;
	return -1;
}

bool place_is_held(const struct place *place, const char *id, int timeout_ms)
{
	struct err ignored;
	own_fd int containers = open_below(place->lib_fd, place->lib, "containers", &ignored);
	for (int64_t deadline = proc_now_ms() + timeout_ms; containers >= 0; fd_wait(-1, 2)) {
		own_fd int fd = open_locked(containers, id);
		if (fd >= 0 || errno != EWOULDBLOCK)
			return false;
		if (proc_now_ms() >= deadline)
			return true;
	}
	return false;
}

// The session's folder went, or the machine's power.
int place_remove_stray(const struct place *place, const char *id, struct err *err)
{
	own_arena struct arena arena = { 0 };
	own_fd int containers = open_below(place->lib_fd, place->lib, "containers", err);
	own_fd int fd = containers < 0 ? -1 : open_locked(containers, id);
	if (containers < 0)
		return -1;
	if (fd < 0 && (errno == EWOULDBLOCK || errno == ESTALE))
		return err_set(err, EBUSY, "'%s/containers/%s' is a living container's, though '%s' doesn't tell of it", place->lib,
			       id, place->run);
	return rootfs_remove_data(place_container(&arena, place, id), err);
}

int place_make_container(const struct place *place, const char *id, struct err *err)
{
	own_fd int containers = open_below(place->lib_fd, place->lib, "containers", err);
	if (containers < 0)
		return -1;
	for (int tries = 0; tries < MAKE_TRIES; tries++) {
		bool made = mkdirat(containers, id, 0700) == 0;
		int fd = made ? open_locked(containers, id) : -1;
		if (fd >= 0)
			return fd;
		if (made ? errno != ESTALE && errno != EWOULDBLOCK : errno != EEXIST) {
			err_sys(err, "make folder '%s/containers/%s'", place->lib, id);
			if (made)
				unlinkat(containers, id, AT_REMOVEDIR);
			return -1;
		}
		if (place_remove_stray(place, id, err) < 0)
			return -1;
	}
	return err_set(err, EBUSY, "make folder '%s/containers/%s': somebody else removes it", place->lib, id);
}

const char *place_group(struct arena *arena, const struct place *place, const char *id)
{
	return place->is_system || place->run_fd < 0 ? id : cgroup_id(arena, place->run_fd, ".", id);
}

const char *place_state(struct arena *arena, const struct place *place, const char *id)
{
	return arena_printf(arena, "%s/%s", place->run, id);
}

const char *place_container(struct arena *arena, const struct place *place, const char *id)
{
	return arena_printf(arena, "%s/containers/%s", place->lib, id);
}

const char *place_data(struct arena *arena, const struct place *place, const char *id)
{
	return arena_printf(arena, "%s/containers/%s/data", place->lib, id);
}

const char *place_default_rootfs(struct arena *arena)
{
	if (caller_owns_system())
		return "/tmp/coso/rootfs";
	return arena_printf(arena, "%s/rootfs", user_folder(arena, "XDG_DATA_HOME", ".local/share"));
}
