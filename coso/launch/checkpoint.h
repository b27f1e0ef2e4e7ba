// SPDX-License-Identifier: GPL-2.0-or-later
// checkpoint.h - has coso-criu write a container's processes to images, and make them again
//
// What to write and how is all in the words; `coso-criu --help` tells them. Whoever restores prepares what criu finds there: the mount
// point of the root, the mounts of the outside, the control groups.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"
#include "shared/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// What criu asks on the way, in its own words: "pre-dump", "post-dump", "setup-namespaces", "post-restore", ….
// https://criu.org/Notify_scripts
struct checkpoint_notice {
	const char *name;
	pid_t pid; // of the first process that is restored; 0: none
	int fd;    // with "orphan-pts-master": the terminal's master, which the callback takes or which is closed; else -1
};

struct checkpoint {
	struct arena *arena;
	const char *helper;       // NULL: the coso-criu that is installed with this program
	const struct strv *words; // verb and options, without --channel
	const int *fds;           // descriptors that the options name; coso-criu has them under the same numbers
	size_t fd_count;
	// In the process that becomes coso-criu: prepares what criu finds there, and may add words. NULL: there is nothing to do.
	int (*prepare)(void *owner, struct strv *words, struct err *err);
	// Returns 0, or -1: criu gives up, and undoes what it has done. NULL: all is well.
	int (*notify)(void *owner, struct checkpoint_notice *notice, struct err *err);
	void *owner;   // for these two
	int cancel_fd; // once this is readable or hung up, coso-criu and criu are ended (EINTR); 0 or less: never
};

// Whether there is a coso-criu. Whether its criu works on this kernel, `check` tells.
bool checkpoint_is_possible(struct arena *arena);

// Runs it, with our stdin, stdout and stderr. *out_value: the pid of what was restored, a child of ours if this process is a subreaper
// (prctl(2)); criu's version (check); or "0". 0 or -1.
int checkpoint_run(const struct checkpoint *checkpoint, const char **out_value, struct err *err);

// The value of --ext-mount for a mount that criu knows by `key`.
const char *checkpoint_mount(struct arena *arena, const char *key, const char *path);
