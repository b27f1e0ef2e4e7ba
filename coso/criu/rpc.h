// SPDX-License-Identifier: GPL-2.0-or-later
// rpc.h - one request to criu and all that it says about it: `criu swrk`, protobuf over a socket pair. https://criu.org/RPC
//
// The messages are those of criu's rpc.proto, in the code that libcriu brings. libcriu's own functions aren't used: they leave out some
// of the options (empty namespaces), and what criu says when it fails.
#pragma once

#include "shared/arena.h"
#include "shared/err.h"

#include <criu/rpc.pb-c.h>
#include <stdbool.h>
#include <sys/types.h>

// What criu asks on the way: "network-lock", "setup-namespaces", "post-restore", "orphan-pts-master", ….
struct rpc_notice {
	const char *name;
	pid_t pid; // of the first process that is restored; 0: none
	int fd;    // with "orphan-pts-master": the terminal's master, good until the callback returns; else -1
};

struct rpc {
	struct arena *arena;
	const char *program; // criu, looked for in PATH if there is no slash
	bool own_streams;    // criu has our stdin, stdout and stderr (of a job of a shell)
	// Returns 0, or -1: criu is told to give up. NULL: all is well.
	int (*notify)(void *owner, const struct rpc_notice *notice, struct err *err);
	void *owner;
};

struct rpc_result {
	pid_t pid;                  // restore
	int major, minor, sublevel; // version
	const char *reason;         // of a failure: in what criu printed; NULL: none
};

// Runs criu for one request. 0 or -1.
int rpc_run(const struct rpc *rpc, const CriuReq *request, struct rpc_result *out, struct err *err);

// The same over a socket (SOCK_SEQPACKET) at whose other end a criu is.
int rpc_talk(const struct rpc *rpc, int socket, const CriuReq *request, struct rpc_result *out, struct err *err);

// The first error in what criu wrote, but for those that aren't why it failed; or NULL. A line of it is "(00.123456) Error (FILE:LINE): …",
// and the last ones say no more than "Dumping FAILED."
const char *rpc_reason(struct arena *arena, const char *log);
