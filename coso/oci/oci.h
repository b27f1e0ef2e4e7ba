// SPDX-License-Identifier: GPL-2.0-or-later
// oci.h - the front end for engines: the command line of an OCI runtime, as containerd, Docker, Podman, CRI-O and Buildah call it
#pragma once

#include "coso/spec/spec.h"
#include "shared/arena.h"
#include "shared/err.h"

#include <stdbool.h>

struct oci {
	struct arena *arena;
	const char *program; // as it was called, for help: "coso-oci", "coso oci", or the name of a link
	const char *command; // the command's own name
	const char *args;    // what goes behind it, for help
	const char *root;    // folder of all containers' state, absolute
	enum spec_cgroup_manager manager;
	int argc; // words behind the command
	char **argv;
	char *const *whole; // the whole command line, for running again
	int inherited;      // descriptors from 3 on, without a gap, that the caller left open
};

// A command returns 0 with the process's exit status (0 unless it sets another), or -1 with `err` filled: status 1 unless set.
typedef int oci_command(struct oci *oci, int *out_exit_code, struct err *err);

oci_command oci_cmd_create, oci_cmd_run, oci_cmd_start, oci_cmd_state, oci_cmd_list, oci_cmd_kill, oci_cmd_delete, oci_cmd_ps,
	oci_cmd_pause, oci_cmd_resume, oci_cmd_update, oci_cmd_events, oci_cmd_exec, oci_cmd_spec, oci_cmd_features,
	oci_cmd_checkpoint, oci_cmd_restore;

// True if the words name this front end: the program is called coso-oci, runc or crun, or the first word is "oci".
bool oci_is_meant(int argc, char *const argv[]);

// Runs a command; `inherited` as above. An error is told by it: one line on stderr, and in the log if there is one.
int oci_main(struct arena *arena, int argc, char **argv, int inherited);

struct opt;

// For a command: parses its options and takes them off oci->argv. 1: --help was asked for, and printed; 0; -1.
int oci_options(struct oci *oci, const struct opt *options, void *to, struct err *err);

// The one word that is left, an id that is checked; NULL with err otherwise.
const char *oci_id(struct oci *oci, struct err *err);
