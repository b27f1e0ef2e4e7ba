// SPDX-License-Identifier: GPL-2.0-or-later
// oci_start.c - start
#include "coso/launch/hooks.h"
#include "coso/launch/notify.h"
#include "coso/launch/start.h"
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "coso/oci/sdnotify.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/opts.h"

#include <errno.h>

static int check(const struct container *c, struct err *err)
{
	switch (container_status(c)) {
	case CONTAINER_CREATED:
		break;
	case CONTAINER_CREATING:
		return err_set(err, EBUSY, "cannot start a container that is being created");
	case CONTAINER_STOPPED:
		return err_set(err, ESRCH, "cannot start a container that has stopped");
	case CONTAINER_RUNNING:
	case CONTAINER_PAUSED:
		return err_set(err, EINVAL, "cannot start an already running container");
	}
	return c->has_process ? 0 : err_set(err, EINVAL, "process: the configuration of '%s' has none to start", c->id);
}

// Of the filter of the first process, which waits for it.
static int hand_listener_over(struct container *c, int listener, int connection, struct err *err)
{
	struct spec spec;
	json_t *config = NULL;
	own_fd int pidfd = container_pidfd(c);
	const struct notify_process process = { c->pid, pidfd, listener };
	int result = container_spec(c, &spec, &config, err);
	if (result == 0)
		result = notify_send(&spec, &process, hooks_state(c->arena, &spec, "creating", c->pid), err);
	json_decref(config);
	return result < 0 ? -1 : notify_go(connection, err);
}

// Reads what the first process reports until its program is executed.
static int follow(struct container *c, int connection, struct err *err)
{
	struct gate_heard heard = { 0 };
	int more = 1;
	while (more > 0) {
		more = gate_read_report(connection, &heard, err);
		if (more > 0 && heard.listening && hand_listener_over(c, heard.listener, connection, err) < 0)
			return -1;
		heard.listening = false;
	}
	if (more < 0)
		return -1;
	return heard.executing ? 0 :
				 err_set(err, EIO, "the container's first process was killed before it could start the program");
}

// One that fails ends the container, and what follows its end comes at once. runtime-spec 1.3, lifecycle
static int run_poststart(struct container *c, struct err *err)
{
	struct spec spec;
	struct err left;
	json_t *config = NULL;
	if (!c->poststart)
		return 0;
	int result = container_spec(c, &spec, &config, err);
	if (result == 0)
		result = hooks_run(c->arena, &spec, SPEC_HOOK_POSTSTART, hooks_state(c->arena, &spec, "running", c->pid), err);
	json_decref(config);
	if (result < 0 && container_remove(c, &left) < 0)
		log_warning("%s", left.msg);
	return result;
}

// The container isn't locked meanwhile: who has had enough of waiting deletes it.
static int wait_until_ready(struct container *c, int pidfd, int ready, struct err *err)
{
	const char *manager = sdnotify_manager();
	container_unlock(c);
	return sdnotify_relay(ready, pidfd, c->pid, manager ? manager : c->manager, err);
}

static int start(struct container *c, struct err *err)
{
	own_fd int ready = -1;
	if (container_lock(c, err) < 0 || check(c, err) < 0)
		return -1;
	if (c->manager && (ready = sdnotify_listen(c->folder, err)) < 0)
		return -1;
	own_fd int pidfd = container_pidfd(c); // it may have ended when the others are through
	own_fd int connection = start_go(c->folder, err);
	if (connection < 0 || follow(c, connection, err) < 0 || run_poststart(c, err) < 0)
		return -1;
	return ready < 0 ? 0 : wait_until_ready(c, pidfd, ready, err);
}

int oci_cmd_start(struct oci *oci, int *out_exit_code, struct err *err)
{
	static const struct opt table[] = { { 0 } };
	struct container c;
	*out_exit_code = 0;
	int help = oci_options(oci, table, NULL, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = start(&c, err);
	container_close(&c);
	return result;
}
