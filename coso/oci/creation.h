// SPDX-License-Identifier: GPL-2.0-or-later
// creation.h - a container that is being made: what create, run and restore do alike, around what launches it
//
// Order of use: creation_init, options, creation_read, container_make, creation_describe, creation_connect, the launch with
// creation_note, creation_hand_over, creation_poststart; then creation_supervise or creation_wait_until_ready, and creation_finish. If
// anything fails from container_make on, creation_give_up.
#pragma once

#include "coso/launch/launch.h"
#include "coso/oci/activation.h"
#include "coso/oci/bundle.h"
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/err.h"

#include <signal.h>
#include <stdbool.h>

struct creation_options {
	const char *bundle, *config, *console_socket, *pidfd_socket, *pid_file, *preserve_fds;
	bool no_pivot, no_new_keyring, no_subreaper, detach, keep;
};

struct creation {
	struct oci *oci;
	struct creation_options options;
	bool waits; // its program is started later
	const char *id;
	struct spec spec;
	struct bundle bundle;
	struct container container;
	struct launch launch;
	struct activation activation;
	int console, pidfd_socket; // connected, or -1
	int ready;                 // of sdnotify_listen, or -1
};

void creation_init(struct creation *creation, struct oci *oci);
void creation_finish(struct creation *creation);

// Reads the bundle's configuration.
int creation_read(struct creation *creation, struct err *err);

// Whether the options and the configuration agree about who gets the terminal.
int creation_check_terminal(const struct creation *creation, struct err *err);

// Behind launch_init: names the control group of a container whose id other folders of states may have, too.
void creation_name_group(struct creation *creation);

// Fills in the container from the spec.
void creation_describe(struct creation *creation);

// For launch.plan and launch.note; the launch's owner is the creation.
int creation_note(struct launch *launch, struct err *err);

int creation_connect(struct creation *creation, struct err *err);

// What the caller waits for.
int creation_hand_over(struct creation *creation, struct err *err);

int creation_poststart(struct creation *creation, struct err *err);

// Removes all that was made.
void creation_give_up(struct creation *creation);

// Waits for its end, and removes it.
int creation_supervise(struct creation *creation, int *out_exit_code, struct err *err);

// Whoever waits for `run --detach` waits until the program is ready, as with start. `old`: the signals that were blocked before.
int creation_wait_until_ready(struct creation *creation, const sigset_t *old, struct err *err);
