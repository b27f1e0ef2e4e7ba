// SPDX-License-Identifier: GPL-2.0-or-later
// container.h - what is known of a container between commands: a folder of its own below the root, made by create, removed by delete
//
//   state.json    what was made, one writer at a time (who holds the folder's lock), replaced atomically
//   config.json   the configuration as create read it
//   start         the socket on which it waits to be started; while it is being created: start.new
//
// The kernel's word counts: a container is stopped once its first process is gone, whatever stands in the file.
#pragma once

#include "coso/cgroup/cgroup.h"
#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum container_status { CONTAINER_CREATING, CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_STOPPED };

struct container {
	struct arena *arena;
	const char *root; // folder of all containers
	const char *id;
	int folder;  // open
	bool locked; // by container_lock or container_make
	const char *oci_version, *bundle, *rootfs, *created;
	struct spec_annotation *annotations;
	size_t annotation_count;
	uint32_t owner;                   // user who made it
	pid_t pid;                        // of its first process, 0: not yet
	uint64_t pid_start;               // 0: it had ended before that was read
	struct strv cgroup;               // cgroup_record
	bool pid_namespace;               // a new one, of its own: with its first process all end
	bool has_process;                 // the configuration has one
	bool rdt;                         // it has groups in resctrl
	bool poststart, poststop, notify; // the configuration has such hooks, a seccomp listener
	const char *manager;              // sdnotify.h: who is to be told that the program is ready; NULL: nobody
	const char *notify_place;         // and where the container has the socket for that
};

// Where containers are: `given`, else /run/coso-oci, or an ordinary user's folder of that name.
int container_root(struct arena *arena, const char *given, const char **out_root, struct err *err);

int container_check_id(const char *id, struct err *err);

// Makes the folder of a new container and locks it. EEXIST: there is one of that name.
int container_make(struct arena *arena, const char *root, const char *id, struct container *out, struct err *err);

// Opens one. ENOENT: "does not exist". EBADMSG: its state can't be read. What a create that was killed left behind opens, too.
int container_open(struct arena *arena, const char *root, const char *id, struct container *out, struct err *err);

// Waits for whoever changes it, reads its state again, and keeps others from changing it as long as this process lives.
int container_lock(struct container *container, struct err *err);

// Lets others change it.
void container_unlock(struct container *container);

int container_write(const struct container *container, struct err *err);

enum container_status container_status(const struct container *container);
const char *container_status_name(enum container_status status);

// A descriptor of its first process, and of no other that has its pid by now; or -1 with ESRCH.
int container_pidfd(const struct container *container);

// As `state` prints it.
json_t *container_json(const struct container *container);

// Reads the configuration that was kept. `out_config` owns what the spec points at; json_decref it.
int container_spec(const struct container *container, struct spec *out_spec, json_t **out_config, struct err *err);

// The control group as a whole, for the operations of cgroup.h. Free with cgroup_close.
int container_cgroup(const struct container *container, struct cgroup *out_cgroup, struct err *err);

// Ends what still runs, runs the poststop hooks, and removes all that was made. The container's folder goes last.
int container_remove(struct container *container, struct err *err);

// Removes one whose state can't be read, and the control groups that bear its id.
int container_forget(struct arena *arena, const char *root, const char *id, struct err *err);

// Calls `visit` for each container below the root. What can't be read is a warning.
int container_each(struct arena *arena, const char *root, void (*visit)(const struct container *container, void *data), void *data,
		   struct err *err);

void container_close(struct container *container);
