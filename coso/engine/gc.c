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
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

enum { DYING_MS = 10000, CLOSE_LOOKS = 16 };

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
	bool known = state_read(&arena, folder, &state, NULL) == 0;
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

void gc_sweep(const struct place *place, bool hurry)
{
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
