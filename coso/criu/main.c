// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - coso-criu: writes the images of a container's processes, and makes these again of them, through criu
//
//   coso-criu check                                           prints criu's version, or says why it can't work here
//   coso-criu dump|pre-dump --pid PID --image-path DIR …
//   coso-criu restore --image-path DIR …                      prints the pid; the processes are children of ours
//
// Theory of operation. criu is told what to do by messages, in protobuf, over a socket (rpc.h). coso runs this program where a
// checkpoint or a restore is asked for, and nowhere else, so that coso itself knows nothing of protobuf. With --channel FD, a socket of
// type SOCK_SEQPACKET, it says there what happens, one message each, and waits for the answer "ok" or "no REASON" to the first kind:
//
//      notify NAME PID      criu's question (https://criu.org/Notify_scripts); with orphan-pts-master comes the terminal's descriptor
//      done VALUE           the end: criu's version, the pid of what was restored, or 0
//      error REASON         the end
//
// Without --channel criu asks nothing, the value is printed and so is the reason. Exit status 0, or 1 with an error.
#include "coso/criu/request.h"
#include "coso/criu/rpc.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 2048, LOG_MAX = 16 << 20 };

// "ok", or "no" and why.
static int ask(void *owner, const struct rpc_notice *notice, struct err *err)
{
	int channel = *(const int *)owner;
	char text[MESSAGE_MAX];
	int n = snprintf(text, sizeof(text), "notify %.200s %d", notice->name, (int)notice->pid);
	if (fd_send(channel, text, (size_t)n, &notice->fd, notice->fd >= 0, err) < 0)
		return err_wrap(err, "pass on criu's %.40s", notice->name);
	ssize_t size = fd_recv(channel, text, sizeof(text) - 1, NULL, NULL, err);
	if (size < 0)
		return -1;
	text[size] = '\0';
	if (str_eq(text, "ok"))
		return 0;
	return err_set(err, ECANCELED, "%s", str_starts(text, "no ") ? text + 3 : "the caller is gone");
}

// What criu answers is its first error, whatever that was; what failed is in the log, or was printed.
static void explain(struct arena *arena, const struct request *r, const struct rpc_result *result, struct err *err)
{
	if (err->code == ECANCELED) // it was told to give up
		return;
	const char *text = r->log ? file_read(arena, AT_FDCWD, r->log, LOG_MAX, NULL, NULL) : NULL;
	const char *reason = text ? rpc_reason(arena, text) : NULL;
	if (!reason)
		reason = result->reason;
	if (reason)
		err_set(err, err->code, "criu: %.600s", reason);
	if (text && r->verb != REQUEST_CHECK)
		err_hint(err, "log file: %.200s", r->log);
}

static int serve(struct arena *arena, struct request *r, struct rpc_result *result, struct err *err)
{
	static const CriuReqType types[] = {
		[REQUEST_CHECK] = CRIU_REQ_TYPE__CHECK,
		[REQUEST_DUMP] = CRIU_REQ_TYPE__DUMP,
		[REQUEST_PRE_DUMP] = CRIU_REQ_TYPE__SINGLE_PRE_DUMP,
		[REQUEST_RESTORE] = CRIU_REQ_TYPE__RESTORE,
	};
	const struct rpc rpc = {
		.arena = arena,
		.program = r->program,
		.own_streams = r->verb == REQUEST_RESTORE && r->options->shell_job,
		.notify = r->channel >= 0 ? ask : NULL,
		.owner = &r->channel,
	};
	CriuReq request = CRIU_REQ__INIT;
	request.type = types[r->verb];
	request.opts = r->options;
	if (rpc_run(&rpc, &request, result, err) < 0) {
		explain(arena, r, result, err);
		return -1;
	}
	if (r->verb != REQUEST_CHECK)
		return 0;
	request.type = CRIU_REQ_TYPE__VERSION;
	return rpc_run(&rpc, &request, result, err);
}

// criu writes a log in any case.
static int check(struct arena *arena, struct request *r, struct rpc_result *result, struct err *err)
{
	char folder[] = "/tmp/coso-criu.XXXXXX";
	if (!mkdtemp(folder))
		return err_sys(err, "make a folder in /tmp");
	int status = request_open(arena, r, folder, folder, err);
	if (status == 0)
		status = serve(arena, r, result, err);
	path_remove_tree(AT_FDCWD, folder, NULL);
	return status;
}

static void end(const struct request *r, const struct rpc_result *result, const struct err *err)
{
	char text[MESSAGE_MAX];
	if (err)
		snprintf(text, sizeof(text), "error %s", err->msg);
	else if (r->verb == REQUEST_CHECK)
		snprintf(text, sizeof(text), "done %d.%d.%d", result->major, result->minor, result->sublevel);
	else
		snprintf(text, sizeof(text), "done %d", (int)result->pid);
	if (r->channel >= 0)
		fd_send(r->channel, text, strlen(text), NULL, 0, NULL);
	else if (err)
		log_error("%s", err->msg);
	else
		printf("%s\n", text + strlen("done "));
}

int main(int argc, char *argv[])
{
	own_arena struct arena arena = { 0 };
	struct request request = { .channel = -1 };
	struct rpc_result result = { 0 };
	struct err err = { 0 };
	log_setup("coso-criu", LOG_LEVEL_WARNING);
	int status = request_parse(&arena, argc - 1, argv + 1, &request, &err);
	if (status == 0 && request.help) {
		request_help(stdout);
		return 0;
	}
	if (status == 0)
		status = (request.verb == REQUEST_CHECK ? check : serve)(&arena, &request, &result, &err);
	end(&request, &result, status < 0 ? &err : NULL);
	return status < 0;
}
