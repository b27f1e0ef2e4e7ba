// SPDX-License-Identifier: GPL-2.0-or-later
// rpc_test.c - conversations with somebody who plays criu, and a program that isn't one
#include "coso/criu/rpc.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void play(int socket, const CriuResp *answer, int fd)
{
	uint8_t bytes[4096];
	size_t size = criu_resp__pack(answer, bytes);
	if (fd_send(socket, bytes, size, &fd, fd >= 0, NULL) < 0)
		_exit(9);
}

static CriuReq *hear(int socket)
{
	uint8_t bytes[4096];
	ssize_t n = fd_recv(socket, bytes, sizeof(bytes), NULL, NULL, NULL);
	CriuReq *request = n > 0 ? criu_req__unpack(NULL, (size_t)n, bytes) : NULL;
	if (!request)
		_exit(8);
	return request;
}

static bool asks(int socket, const char *name, int pid, int fd)
{
	CriuResp answer = CRIU_RESP__INIT;
	CriuNotify question = CRIU_NOTIFY__INIT;
	answer.type = CRIU_REQ_TYPE__NOTIFY;
	answer.success = true;
	answer.notify = &question;
	question.script = (char *)name;
	question.has_pid = pid != 0;
	question.pid = pid;
	play(socket, &answer, fd);
	CriuReq *reply = hear(socket);
	if (reply->type != CRIU_REQ_TYPE__NOTIFY || !reply->has_notify_success)
		_exit(7);
	return reply->notify_success;
}

struct conversation {
	int socket;
	pid_t pid;
};

// Somebody who plays criu is at the other end.
static struct conversation begin(void (*criu)(int socket))
{
	int pair[2];
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid_t pid = fork();
	if (pid == 0) {
		fd_close(&pair[0]);
		criu(pair[1]);
		_exit(0);
	}
	fd_close(&pair[1]);
	return (struct conversation){ pair[0], pid };
}

static void finish(struct conversation *c)
{
	int status = -1;
	fd_close(&c->socket);
	CU_ASSERT(waitpid(c->pid, &status, 0) == c->pid && status == 0);
}

static void restores(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	CriuRestoreResp restored = CRIU_RESTORE_RESP__INIT;
	own_fd int terminal = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	CriuReq *request = hear(socket);
	if (request->type != CRIU_REQ_TYPE__RESTORE || request->opts->images_dir_fd != 5)
		_exit(1);
	if (!asks(socket, "setup-namespaces", 4711, -1) || !asks(socket, "orphan-pts-master", 0, terminal))
		_exit(2);
	answer.type = CRIU_REQ_TYPE__RESTORE;
	answer.success = true;
	answer.restore = &restored;
	restored.pid = 4711;
	play(socket, &answer, -1);
}

static int note(void *owner, const struct rpc_notice *notice, struct err *err)
{
	char *seen = owner, byte = 1;
	size_t length = strlen(seen);
	bool zero = notice->fd >= 0 && read(notice->fd, &byte, 1) == 1 && byte == 0;
	snprintf(seen + length, 256 - length, "%s %d%s, ", notice->name, (int)notice->pid, zero ? " with a terminal" : "");
	if (strcmp(notice->name, "network-unlock") == 0)
		return err_set(err, EIO, "nor may that");
	return strcmp(notice->name, "post-dump") == 0 ? err_set(err, EPERM, "it may not be") : 0;
}

static CriuReq request_for(CriuReqType type, CriuOpts *options)
{
	CriuReq request = CRIU_REQ__INIT;
	criu_opts__init(options);
	options->images_dir_fd = 5;
	request.type = type;
	request.opts = options;
	return request;
}

TEST(rpc, questions_are_passed_on_and_the_pid_comes_back)
{
	own_arena struct arena arena = { 0 };
	char seen[256] = "";
	const struct rpc rpc = { .arena = &arena, .notify = note, .owner = seen };
	struct rpc_result result = { 0 };
	CriuOpts options;
	CriuReq request = request_for(CRIU_REQ_TYPE__RESTORE, &options);
	struct conversation c = begin(restores);
	int probe = open("/dev/null", O_RDONLY | O_CLOEXEC), before = probe;
	fd_close(&probe);
	CU_ASSERT_EQUAL(rpc_talk(&rpc, c.socket, &request, &result, NULL), 0);
	CU_ASSERT_STRING_EQUAL(seen, "setup-namespaces 4711, orphan-pts-master 0 with a terminal, ");
	CU_ASSERT_EQUAL(result.pid, 4711);
	int after = open("/dev/null", O_RDONLY | O_CLOEXEC); // the terminal's descriptor is closed
	CU_ASSERT_EQUAL(after, before);
	fd_close(&after);
	finish(&c);
}

static void fails_when_told(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	hear(socket);
	if (!asks(socket, "pre-dump", 0, -1) || asks(socket, "post-dump", 0, -1))
		_exit(1);
	asks(socket, "network-unlock", 0, -1); // it ends what it has begun
	answer.type = CRIU_REQ_TYPE__DUMP;
	answer.cr_errmsg = (char *)"One of the scripts failed";
	play(socket, &answer, -1);
}

TEST(rpc, who_tells_it_to_give_up_says_why)
{
	own_arena struct arena arena = { 0 };
	char seen[256] = "";
	const struct rpc rpc = { .arena = &arena, .notify = note, .owner = seen };
	struct rpc_result result = { 0 };
	struct err err = { 0 };
	CriuOpts options;
	CriuReq request = request_for(CRIU_REQ_TYPE__DUMP, &options);
	struct conversation c = begin(fails_when_told);
	CU_ASSERT_EQUAL(rpc_talk(&rpc, c.socket, &request, &result, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "it may not be");
	CU_ASSERT_EQUAL(err.code, EPERM);
	CU_ASSERT_PTR_NOT_NULL(strstr(seen, "network-unlock"));
	finish(&c);
}

static void fails_with_words(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	hear(socket);
	answer.type = CRIU_REQ_TYPE__DUMP;
	answer.cr_errmsg = (char *)"Can't\nlook";
	answer.has_cr_errno = true;
	answer.cr_errno = EPERM;
	play(socket, &answer, -1);
}

static void fails_with_a_number(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	hear(socket);
	answer.type = CRIU_REQ_TYPE__DUMP;
	answer.has_cr_errno = true;
	answer.cr_errno = ESRCH;
	play(socket, &answer, -1);
}

static void fails_in_silence(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	hear(socket);
	answer.type = CRIU_REQ_TYPE__EMPTY;
	play(socket, &answer, -1);
}

static void dies(int socket)
{
	hear(socket);
}

static void raves(int socket)
{
	hear(socket);
	if (fd_send(socket, "\xff\xff\xff", 3, NULL, 0, NULL) < 0)
		_exit(1);
}

static void answers_something_else(int socket)
{
	CriuResp answer = CRIU_RESP__INIT;
	hear(socket);
	answer.type = CRIU_REQ_TYPE__RESTORE;
	answer.success = true;
	play(socket, &answer, -1);
}

static void answers(void (*criu)(int socket), const char *text)
{
	own_arena struct arena arena = { 0 };
	const struct rpc rpc = { .arena = &arena };
	struct rpc_result result = { 0 };
	struct err err = { 0 };
	CriuOpts options;
	CriuReq request = request_for(CRIU_REQ_TYPE__DUMP, &options);
	struct conversation c = begin(criu);
	CU_ASSERT_EQUAL(rpc_talk(&rpc, c.socket, &request, &result, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, text);
	finish(&c);
}

TEST(rpc, failures)
{
	answers(fails_with_words, "criu: Can't look");
	answers(fails_with_a_number, "criu: No such process");
	answers(fails_in_silence, "criu failed");
	answers(dies, "criu ended without an answer");
	answers(raves, "criu: its answer isn't one");
	answers(answers_something_else, "criu: it answers another request (2, not 1)");
}

TEST(rpc, a_program_that_is_not_criu)
{
	own_arena struct arena arena = { 0 };
	struct rpc rpc = { .arena = &arena, .program = "/nowhere/criu" };
	struct rpc_result result = { 0 };
	struct err err = { 0 };
	CriuOpts options;
	CriuReq request = request_for(CRIU_REQ_TYPE__CHECK, &options);
	CU_ASSERT_EQUAL(rpc_run(&rpc, &request, &result, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_STRING_EQUAL(err.msg,
			       "execute '/nowhere/criu': No such file or directory (criu has to be installed, and in PATH)");
	rpc.program = "sh"; // of PATH; "sh swrk N": there is no such script
	CU_ASSERT_EQUAL(rpc_run(&rpc, &request, &result, &err), -1);
	CU_ASSERT_PTR_NULL(result.reason);
}

TEST(rpc, what_it_printed_before_it_ended)
{
	static const char script[] = "#!/bin/sh\necho \"Error (criu/x.c:1): $1 fails\" >&2\nexit 1\n";
	own_arena struct arena arena = { 0 };
	char folder[] = "/tmp/coso-rpc.XXXXXX";
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	const struct rpc rpc = { .arena = &arena, .program = arena_printf(&arena, "%s/criu", folder) };
	struct rpc_result result = { 0 };
	struct err err = { 0 };
	CriuOpts options;
	CriuReq request = request_for(CRIU_REQ_TYPE__CHECK, &options);
	own_fd int fd = open(rpc.program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CU_ASSERT_EQUAL(fd_write_full(fd, script, sizeof(script) - 1), 0);
	fd_close(&fd);
	CU_ASSERT_EQUAL(rpc_run(&rpc, &request, &result, &err), -1);
	CU_ASSERT(result.reason && strcmp(result.reason, "swrk fails") == 0);
	unlink(rpc.program);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
}

TEST(rpc, the_reason_in_a_log)
{
	own_arena struct arena arena = { 0 };
	static const char log[] =
		"(00.1) Error (criu/tun.c:85): tun: Unable to create tun: Operation not permitted\n(00.2) all is well\n"
		"(00.3)  1: Error (criu/b.c:2): Can't do\tit\n(00.4) Error (criu/c.c:3): follows\n"
		"(00.5) Error (criu/c.c:3): Dumping FAILED.\nnothing";
	CU_ASSERT_STRING_EQUAL(rpc_reason(&arena, log), "Can't do it");
	CU_ASSERT_STRING_EQUAL(rpc_reason(&arena, "Error (x"), "Error (x");
	CU_ASSERT_PTR_NULL(rpc_reason(&arena, "Error: ipv4: Address already assigned.\n"));
	CU_ASSERT_PTR_NULL(rpc_reason(&arena, "(00.2) all is well\n"));
	CU_ASSERT_PTR_NULL(rpc_reason(&arena, ""));
	CU_ASSERT_PTR_NULL(rpc_reason(&arena, NULL));
}
