// SPDX-License-Identifier: GPL-2.0-or-later
// gc.c - mends what a crash left
#include "coso/engine/gc.h"

#include "coso/cgroup/cgroup.h"
#include "coso/engine/claim.h"
#include "coso/engine/state.h"
#include "coso/launch/netexec.h"
#include "coso/launch/rootfs.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { DYING_MS = 10000, DYING_CHILD_MS = 500, CLOSE_LOOKS = 16, BOOT_SIZE = 64 };

// The container's first process, if it still dies from its parent's death.
static void end_process(const struct state *state)
{
	own_fd int pidfd = state_pidfd(state);
	if (pidfd < 0)
		return;
	sys_pidfd_send_signal(pidfd, SIGKILL);
	fd_wait(pidfd, DYING_MS);
}

// The tree of cgroups, the network and the layers; the log stays with `keep_log`.
static int remove_parts(const struct place *place, const char *id, int state, bool keep_log, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct cgroup cgroup = { 0 };
	struct err owed;
	int released = netexec_release_noted(state, &owed);
	if (cgroup_detect(&arena, &cgroup, err) < 0 || cgroup_find(&cgroup, place_group(&arena, place, id), err) < 0 ||
	    cgroup_remove(&cgroup, DYING_MS, err) < 0)
		return -1;
	if (rootfs_remove_data(keep_log ? place_data(&arena, place, id) : place_container(&arena, place, id), err) < 0)
		return -1;
	if (released < 0)
		*err = owed; // what is owed keeps nothing else from going
	return released;
}

int gc_remove_parts(const struct place *place, const char *id, int state, struct err *err)
{
	return remove_parts(place, id, state, false, err);
}

static bool mend(const struct place *place, const char *id, int folder)
{
	own_arena struct arena arena = { 0 };
	struct state state = { 0 };
	struct err err = { 0 };
	bool known = state_read(&arena, folder, &state, &err) == 0;
	if (!known && err.code != ENOENT) {
		log_warning("'%s' is left as it is, since nobody knows what it is: %s (coso rm --force '%s')", id, err.msg, id);
		return false;
	}
	if (!known && place_is_held(place, id, DYING_CHILD_MS)) // it died before it was told that the name is another's
		return path_remove_tree(place->run_fd, id, &err) == 0;
	if (known && state.detached && !state.launching && state_is_running(&state))
		return false; // its monitor died, the container lives on
	bool stays = known && state.detached && !state.remove && !state.launching;
	if (known && !state.ended)
		end_process(&state);
	if (remove_parts(place, id, folder, stays, &err) < 0) {
		log_warning("remove what is left of '%s': %s", id, err.msg);
		return false;
	}
	if (!stays)
		return path_remove_tree(place->run_fd, id, &err) == 0;
	if (!state.ended) {
		state.ended = true;
		state.exit_code = STATE_EXIT_UNKNOWN;
		state.pid = 0;
		return state_write(folder, &state, &err) == 0;
	}
	return true;
}

// Removes a container's folder, unless there is such a container: then that is who sees to it.
static int remove_outlived(const struct place *place, const char *id)
{
	struct claim claim;
	struct err err;
	if (claim_take(place, id, &claim, &err) < 0) {
		if (err.code == EEXIST)
			return 0;
		log_warning("%s", err.msg);
		return -1;
	}
	int result = place_remove_stray(place, id, &err);
	claim_release(place, id, &claim);
	if (result == 0 || err.code == EBUSY) // it is of this boot after all, with states elsewhere
		return 0;
	log_warning("remove what the last boot left of '%s': %s", id, err.msg);
	return -1;
}

// Returns -1 if something is left.
static int remove_all_outlived(const struct place *place)
{
	int containers = openat(place->lib_fd, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), result = 0;
	DIR *list = containers < 0 ? NULL : fdopendir(containers);
	if (!list) {
		result = errno == ENOENT ? 0 : -1;
		fd_close(&containers);
		return result;
	}
	struct dirent *entry;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] != '.' && remove_outlived(place, entry->d_name) < 0)
			result = -1;
	}
	closedir(list);
	return result;
}

// The boot that lib is of; "": no command has been there yet.
static void read_boot(const struct place *place, char boot[BOOT_SIZE])
{
	ssize_t n = readlinkat(place->lib_fd, ".boot", boot, BOOT_SIZE - 1);
	boot[n < 0 ? 0 : n] = '\0';
}

// Containers' folders are on a disk, their states mostly aren't. Nobody launches before that is done: to whoever is to have a name, it is
// free.
static void sweep_last_boot(const struct place *place)
{
	char boot[BOOT_SIZE];
	const char *now = proc_boot_id();
	read_boot(place, boot);
	if (!*now || str_eq(boot, now))
		return;
	own_fd int lock = openat(place->lib_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock >= 0)
		flock(lock, LOCK_EX);
	read_boot(place, boot);
	if (str_eq(boot, now)) // another was first
		return;
	if (*boot && remove_all_outlived(place) < 0)
		return; // the next command tries again
	unlinkat(place->lib_fd, ".boot", 0);
	if (symlinkat(now, place->lib_fd, ".boot") < 0 && errno != EEXIST)
		log_verbose("make '%s/.boot': %s", place->lib, strerrordesc_np(errno));
}

void gc_sweep(const struct place *place, bool hurry)
{
	sweep_last_boot(place);
	claim_each_dead(place, hurry ? CLOSE_LOOKS : SIZE_MAX, mend);
}

void gc_forget(const struct place *place, const char *id)
{
	own_arena struct arena arena = { 0 };
	struct claim claim;
	struct state state;
	struct err err;
	if (claim_lock(place, id, &claim, &err) == 0) {
		if (state_read(&arena, claim.state, &state, NULL) == 0) {
			state.launching = true;
			if (state_write(claim.state, &state, &err) < 0)
				log_warning("%s", err.msg);
		}
		claim_drop(place, &claim);
	}
	gc_sweep(place, false);
}
