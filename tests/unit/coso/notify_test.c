// SPDX-License-Identifier: GPL-2.0-or-later
// notify_test.c - a filter whose listener is handed over, and a program that then answers for it
#include "coso/launch/gate.h"
#include "coso/launch/notify.h"
#include "coso/launch/seccomp.h"
#include "shared/fd.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER = 4711, SECONDS_MOST = 10 };

// Asks for getppid(2), and for one more call.
static struct seccomp asking_for(long other)
{
	static struct sock_filter code[5];
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 2, 0);
	code[2] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)other, 1, 0);
	code[3] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[4] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	return (struct seccomp){ .program = { .len = 5, .filter = code }, .notify = true };
}

struct world {
	int gate[2], report[2], server;
	char path[64];
	pid_t pid;
	int pidfd;
};

// What runs in a container, up to its program, which exits with 0 if the listener answered.
static void be_child(struct world *w, long other)
{
	struct seccomp seccomp = asking_for(other);
	struct err err = { 0 };
	int listener = -1;
	alarm(SECONDS_MOST);
	fd_close(&w->server);
	fd_close(&w->gate[0]);
	prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_apply_listening(&seccomp, &listener, &err) < 0 || listener < 0)
		_exit(2);
	if (!(fcntl(listener, F_GETFD) & FD_CLOEXEC))
		_exit(3);
	if (notify_hand_over(&listener, w->report[1], w->gate[1], &err) < 0 || listener != -1)
		_exit(4);
	_exit(syscall(SYS_getppid) == ANSWER ? 0 : 5);
}

static void start(struct world *w, long other)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = SECONDS_MOST };
	*w = (struct world){ .path = "/tmp/coso-notify.XXXXXX", .server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
	CU_ASSERT_PTR_NOT_NULL(mkdtemp(w->path));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", w->path);
	CU_ASSERT_EQUAL(bind(w->server, (const struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL(listen(w->server, 1), 0);
	CU_ASSERT_EQUAL(setsockopt(w->server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0); // if nobody comes
	CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, w->gate), 0);
	CU_ASSERT_EQUAL(pipe2(w->report, O_CLOEXEC), 0);
	w->pid = fork();
	if (w->pid == 0)
		be_child(w, other);
	w->pidfd = sys_pidfd_open(w->pid, 0);
	fd_close(&w->gate[1]);
	fd_close(&w->report[1]);
}

static void end(struct world *w, int expected)
{
	int status = -1;
	char socket[80];
	CU_ASSERT_EQUAL(waitpid(w->pid, &status, 0), w->pid);
	CU_ASSERT(WIFEXITED(status));
	CU_ASSERT_EQUAL(WEXITSTATUS(status), expected);
	fd_close(&w->gate[0]);
	fd_close(&w->report[0]);
	fd_close(&w->server);
	fd_close(&w->pidfd);
	snprintf(socket, sizeof(socket), "%s/socket", w->path);
	unlink(socket);
	CU_ASSERT_EQUAL(rmdir(w->path), 0);
}

static struct notify_process heard_of(const struct world *w)
{
	struct gate_heard heard = { 0 };
	CU_ASSERT_EQUAL(gate_read_report(w->report[0], &heard, NULL), 1);
	CU_ASSERT(heard.listening && !heard.executing);
	return (struct notify_process){ .pid = w->pid, .pidfd = w->pidfd, .listener = heard.listener };
}

static int send_to(const struct world *w, const struct notify_process *process, const char *metadata, struct err *err)
{
	char path[80];
	snprintf(path, sizeof(path), "%s/socket", w->path);
	const struct spec spec = { .oci_version = "1.2.0", .process = { .seccomp_listener = path, .seccomp_metadata = metadata } };
	return notify_send(&spec, process, "{\"id\": \"box\", \"status\": \"creating\"}", err);
}

// The other program's side: one message with one descriptor, and end of file.
static int receive(const struct world *w, json_t **out)
{
	char text[4096];
	int fds[2] = { -1, -1 };
	size_t count = 2;
	own_fd int s = accept4(w->server, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = fd_recv(s, text, sizeof(text), fds, &count, NULL);
	CU_ASSERT(n > 0);
	CU_ASSERT_EQUAL(count, 1);
	*out = json_loadb(text, n > 0 ? (size_t)n : 0, 0, NULL);
	CU_ASSERT_EQUAL(read(s, text, 1), 0);
	fd_close(&fds[1]);
	return fds[0];
}

// Answers one call: with ANSWER, or by letting it happen. Returns its number.
static int answer(int listener, bool happen)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct seccomp_notif question = { 0 };
	if (poll(&p, 1, SECONDS_MOST * 1000) != 1 || ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
		return -1;
	struct seccomp_notif_resp reply = {
		.id = question.id,
		.val = happen ? 0 : ANSWER,
		.flags = happen ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0,
	};
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) < 0 ? -1 : question.data.nr;
}

static bool is_text(const json_t *value, const char *expected)
{
	const char *text = json_string_value(value);
	return expected ? text && strcmp(text, expected) == 0 : !value;
}

static void check_message(json_t *all, pid_t pid, const char *metadata)
{
	CU_ASSERT(is_text(json_object_get(all, "ociVersion"), "1.2.0"));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(all, "pid")), pid);
	json_t *fds = json_object_get(all, "fds");
	CU_ASSERT_EQUAL(json_array_size(fds), 1);
	CU_ASSERT(is_text(json_array_get(fds, 0), "seccompFd"));
	CU_ASSERT(is_text(json_object_get(json_object_get(all, "state"), "id"), "box"));
	CU_ASSERT(is_text(json_object_get(all, "metadata"), metadata));
	json_decref(all);
}

TEST(notify, the_listener_is_with_who_answers)
{
	struct world w;
	struct err err = { 0 };
	json_t *all = NULL;
	start(&w, SYS_getppid);
	struct notify_process process = heard_of(&w);
	CU_ASSERT_EQUAL(send_to(&w, &process, "some \"metadata\"", &err), 0);
	own_fd int listener = receive(&w, &all);
	check_message(all, w.pid, "some \"metadata\"");
	CU_ASSERT_EQUAL(notify_go(w.gate[0], NULL), 0);
	CU_ASSERT_EQUAL(answer(listener, false), SYS_getppid);
	end(&w, 0);
}

TEST(notify, read_may_be_asked_for_too)
{
	struct world w;
	json_t *all = NULL;
	start(&w, SYS_read);
	struct notify_process process = heard_of(&w);
	CU_ASSERT_EQUAL(send_to(&w, &process, NULL, NULL), 0);
	own_fd int listener = receive(&w, &all);
	check_message(all, w.pid, NULL);
	CU_ASSERT_EQUAL(notify_go(w.gate[0], NULL), 0);
	CU_ASSERT_EQUAL(answer(listener, true), SYS_read);
	CU_ASSERT_EQUAL(answer(listener, false), SYS_getppid);
	end(&w, 0);
}

TEST(notify, nobody_there)
{
	struct world w;
	struct err err = { 0 };
	start(&w, SYS_getppid);
	struct notify_process process = heard_of(&w);
	fd_close(&w.server);
	CU_ASSERT_EQUAL(send_to(&w, &process, NULL, &err), -1);
	CU_ASSERT_EQUAL(err.code, ECONNREFUSED);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "hand the seccomp listener to '/tmp/coso-notify."));
	process.listener = 1000;
	CU_ASSERT_EQUAL(send_to(&w, &process, NULL, &err), -1);
	CU_ASSERT_EQUAL(err.code, EBADF);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "take over the seccomp listener"));
	fd_close(&w.gate[0]); // as if the launcher had died
	end(&w, 4);
	CU_ASSERT_EQUAL(notify_go(-1, &err), -1);
}

static void check_plain_filter(void)
{
	struct seccomp seccomp = asking_for(SYS_getppid);
	struct err err = { 0 };
	int listener = 7;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CU_ASSERT_EQUAL(seccomp_apply(&seccomp, &err), -1); // nobody would answer
	CU_ASSERT_EQUAL(err.code, ENOSYS);
	seccomp.notify = false;
	((struct sock_filter *)seccomp.program.filter)[4].k = SECCOMP_RET_ERRNO | EXDEV;
	CU_ASSERT_EQUAL(seccomp_apply_listening(&seccomp, &listener, &err), 0);
	CU_ASSERT_EQUAL(listener, -1);
	CU_ASSERT(syscall(SYS_getppid) == -1 && errno == EXDEV);
}

static void check_second_listener(void)
{
	struct seccomp seccomp = asking_for(SYS_getppid);
	struct err err = { 0 };
	int listener = -1, second = 7;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	seccomp.flags = SECCOMP_FILTER_FLAG_TSYNC;
	CU_ASSERT_EQUAL(seccomp_apply_listening(&seccomp, &listener, &err), 0);
	CU_ASSERT(listener >= 0);
	CU_ASSERT_EQUAL(seccomp_apply_listening(&seccomp, &second, &err), -1);
	CU_ASSERT_EQUAL(err.code, EBUSY);
	CU_ASSERT_EQUAL(second, -1);
}

TEST(notify, a_filter_that_asks_nobody_has_no_listener)
{
	unit_in_child(check_plain_filter);
	unit_in_child(check_second_listener);
}
