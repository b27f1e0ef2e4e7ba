// SPDX-License-Identifier: GPL-2.0-or-later
// rpc.c - one request to criu and all that it says about it
#include "coso/criu/rpc.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 << 10 };

static void free_answer(CriuResp **answer)
{
	if (*answer)
		criu_resp__free_unpacked(*answer, NULL);
}

#define own_answer __attribute__((cleanup(free_answer)))

// It may be gone before it has read what was sent.
static int is_gone(struct err *err)
{
	return err_set(err, EPIPE, "criu ended without an answer");
}

static int send_request(const struct rpc *rpc, int socket, const CriuReq *request, struct err *err)
{
	size_t size = criu_req__get_packed_size(request);
	uint8_t *bytes = arena_alloc(rpc->arena, size);
	criu_req__pack(request, bytes);
	if (fd_send(socket, bytes, size, NULL, 0, err) == 0)
		return 0;
	return err && err->code == EPIPE ? is_gone(err) : err_wrap(err, "ask criu");
}

static CriuResp *receive_answer(const struct rpc *rpc, int socket, int *out_fd, struct err *err)
{
	uint8_t *bytes = arena_alloc(rpc->arena, ANSWER_MAX);
	size_t count = 1;
	ssize_t n = fd_recv(socket, bytes, ANSWER_MAX, out_fd, &count, err);
	if (count == 0)
		*out_fd = -1;
	if (n == 0 || (n < 0 && err->code == ECONNRESET))
		is_gone(err);
	if (n <= 0)
		return NULL;
	CriuResp *answer = criu_resp__unpack(NULL, (size_t)n, bytes);
	if (!answer)
		err_set(err, EBADMSG, "criu: its answer isn't one");
	return answer;
}

// What criu asks on the way is answered before it goes on.
static int notify(const struct rpc *rpc, int socket, const CriuResp *answer, int fd, struct err *err)
{
	CriuReq reply = CRIU_REQ__INIT;
	const CriuNotify *n = answer->notify;
	const struct rpc_notice notice = {
		.name = n && n->script ? n->script : "",
		.pid = n && n->has_pid ? n->pid : 0,
		.fd = fd,
	};
	int result = rpc->notify ? rpc->notify(rpc->owner, &notice, err) : 0;
	reply.type = CRIU_REQ_TYPE__NOTIFY;
	reply.has_notify_success = true;
	reply.notify_success = result == 0;
	if (send_request(rpc, socket, &reply, result < 0 ? NULL : err) < 0)
		return -1;
	return result;
}

static int judge(const CriuReq *request, const CriuResp *answer, struct rpc_result *out, struct err *err)
{
	if (answer->type != request->type && answer->success)
		return err_set(err, EBADMSG, "criu: it answers another request (%d, not %d)", (int)answer->type,
			       (int)request->type);
	if (answer->success) {
		out->pid = answer->restore ? answer->restore->pid : 0;
		if (answer->version) {
			out->major = answer->version->major_number;
			out->minor = answer->version->minor_number;
			out->sublevel = answer->version->sublevel;
		}
		return 0;
	}
	if (answer->cr_errmsg && *answer->cr_errmsg) {
		str_clean(answer->cr_errmsg);
		return err_set(err, EIO, "criu: %.600s", answer->cr_errmsg);
	}
	if (answer->has_cr_errno && answer->cr_errno)
		return err_set(err, answer->cr_errno, "criu: %s", strerror(answer->cr_errno));
	return err_set(err, EIO, "criu failed");
}

int rpc_talk(const struct rpc *rpc, int socket, const CriuReq *request, struct rpc_result *out, struct err *err)
{
	struct err refused;
	bool given_up = false;
	if (send_request(rpc, socket, request, err) < 0)
		return -1;
	for (;;) {
		own_fd int fd = -1;
		own_answer CriuResp *answer = receive_answer(rpc, socket, &fd, err);
		// Told to give up, criu ends what it has begun, and then fails; the reason is the one of who told it.
		if (answer && answer->type == CRIU_REQ_TYPE__NOTIFY)
			given_up |= notify(rpc, socket, answer, fd, given_up ? NULL : &refused) < 0;
		else if (given_up)
			return err_set(err, refused.code, "%s", refused.msg);
		else
			return answer ? judge(request, answer, out, err) : -1;
	}
}

static void __attribute__((noreturn)) become_criu(const struct rpc *rpc, int socket, int log, int report)
{
	char number[16];
	snprintf(number, sizeof(number), "%d", socket);
	char *const argv[] = { (char *)"criu", (char *)"swrk", number, NULL };
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	proc_default_signals();
	if (!rpc->own_streams) {
		int null = open("/dev/null", O_RDONLY);
		dup2(null, STDIN_FILENO);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	}
	fcntl(socket, F_SETFD, 0);
	execvp(rpc->program, argv);
	int code = errno;
	(void)!write(report, &code, sizeof(code));
	_exit(127);
}

static const char *read_log(const struct rpc *rpc, int log)
{
	lseek(log, 0, SEEK_SET);
	return file_read_fd(rpc->arena, log, "what criu printed", FILE_SMALL, NULL, NULL);
}

// Returns the pid once criu is executed.
static pid_t start(const struct rpc *rpc, int socket, int log, struct err *err)
{
	int report[2], code = 0;
	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe for criu");
	pid_t pid = fork();
	if (pid == 0)
		become_criu(rpc, socket, log, report[1]);
	int failed = pid < 0 ? errno : 0;
	fd_close(&report[1]);
	if (pid > 0 && fd_read_full(report[0], &code, sizeof(code)) == (ssize_t)sizeof(code)) {
		waitpid(pid, NULL, 0);
		failed = code;
	}
	fd_close(&report[0]);
	errno = failed;
	if (!failed)
		return pid;
	err_sys(err, "execute '%s'", rpc->program);
	return failed == ENOENT ? err_hint(err, "criu has to be installed, and in PATH") : -1;
}

int rpc_run(const struct rpc *rpc, const CriuReq *request, struct rpc_result *out, struct err *err)
{
	int pair[2] = { -1, -1 }, status = 0;
	own_fd int log = memfd_create("criu", MFD_CLOEXEC);
	if (log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(err, "make a socket for criu");
	pid_t pid = start(rpc, pair[1], log, err);
	fd_close(&pair[1]);
	int result = pid < 0 ? -1 : rpc_talk(rpc, pair[0], request, out, err);
	fd_close(&pair[0]); // with nothing more to come, criu ends
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status != 0 && result == 0)
		result = err_set(err, EIO, "criu ended with status %d", proc_exit_code(status));
	if (result < 0 && pid > 0)
		out->reason = rpc_reason(rpc->arena, read_log(rpc, log));
	return result;
}

// Errors of what criu tries and does without, or that follow from others.
static bool is_beside_the_point(const char *line, size_t length)
{
	static const char *const words[] = { " FAILED.", "Unable to create tun", "Can't setup RLIMIT_NOFILE",
					     "cgroupd: recv req error" };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (memmem(line, length, words[i], strlen(words[i])))
			return true;
	}
	return false;
}

const char *rpc_reason(struct arena *arena, const char *log)
{
	static const char word[] = "Error (", place[] = "): "; // others, such as ip(8), write there, too
	for (const char *line = log; line && *line;) {
		size_t length = strcspn(line, "\n");
		const char *error = memmem(line, length, word, strlen(word));
		if (error && !is_beside_the_point(line, length)) {
			char *found = arena_strndup(arena, error, length - (size_t)(error - line)), *end = strstr(found, place);
			str_clean(found);
			return end ? end + strlen(place) : found;
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}
