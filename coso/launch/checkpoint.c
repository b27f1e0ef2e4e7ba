// SPDX-License-Identifier: GPL-2.0-or-later
// checkpoint.c - has coso-criu write a container's processes to images, and make them again
#include "coso/launch/checkpoint.h"

#include "shared/fd.h"
#include "shared/installed.h"
#include "shared/num.h"
#include "shared/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_MAX = 4096 };

static const char helper_name[] = "coso-criu";

bool checkpoint_is_possible(struct arena *arena)
{
	return access(installed_helper(arena, helper_name), X_OK) == 0;
}

const char *checkpoint_mount(struct arena *arena, const char *key, const char *path)
{
	char *escaped = arena_alloc(arena, 2 * strlen(key) + 1), *to = escaped;
	for (const char *c = key; *c; c++) {
		if (*c == ':' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	return arena_printf(arena, "%s:%s", escaped, path);
}

struct helper {
	const char *path;
	struct strv argv, env;
	int channel[2]; // [0] ours
	int report[2];  // carries why it came to no execve
};

static void close_helper(struct helper *h)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&h->channel[i]);
		fd_close(&h->report[i]);
	}
}

#define own_helper __attribute__((cleanup(close_helper)))

static void list_words(const struct checkpoint *checkpoint, struct helper *h)
{
	struct arena *a = checkpoint->arena;
	const char *path = getenv("PATH");
	strv_push(a, &h->argv, h->path);
	for (size_t i = 0; i < checkpoint->words->count; i++)
		strv_push(a, &h->argv, checkpoint->words->items[i]);
	strv_push(a, &h->argv, "--channel");
	strv_push(a, &h->argv, arena_printf(a, "%d", h->channel[1]));
	strv_push(a, &h->env,
		  arena_printf(a, "PATH=%s", path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
}

static int become(const struct checkpoint *checkpoint, struct helper *h, struct err *err)
{
	proc_default_signals();
	if (checkpoint->prepare && checkpoint->prepare(checkpoint->owner, &h->argv, err) < 0)
		return -1;
	fd_cloexec_from(STDERR_FILENO + 1);
	for (size_t i = 0; i < checkpoint->fd_count; i++)
		fcntl(checkpoint->fds[i], F_SETFD, 0);
	fcntl(h->channel[1], F_SETFD, 0);
	execve(h->path, h->argv.items, h->env.items);
	err_sys(err, "execute '%s'", h->path);
	return err->code == ENOENT ? err_hint(err, "it is built where criu is installed") : -1;
}

static int start(const struct checkpoint *checkpoint, struct helper *h, struct err *err)
{
	struct err why = { 0 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, h->channel) < 0 || pipe2(h->report, O_CLOEXEC) < 0)
		return err_sys(err, "make a socket for '%s'", h->path);
	list_words(checkpoint, h);
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "start '%s'", h->path);
	if (pid == 0) {
		become(checkpoint, h, &why);
		(void)!write(h->report[1], &why, sizeof(why));
		_exit(127);
	}
	fd_close(&h->channel[1]);
	fd_close(&h->report[1]);
	if (fd_read_full(h->report[0], &why, sizeof(why)) != (ssize_t)sizeof(why))
		return pid;
	waitpid(pid, NULL, 0);
	return err_set(err, why.code, "%s", why.msg);
}

// "notify NAME PID", with a descriptor or without.
static int pass_on(const struct checkpoint *checkpoint, int channel, char *text, int *fd, struct err *err)
{
	struct checkpoint_notice notice = { .name = text + strlen("notify "), .fd = *fd };
	char reply[MESSAGE_MAX] = "ok", *blank = strchr(notice.name, ' ');
	uint64_t pid = 0;
	if (!blank || num_u64("pid", blank + 1, 0, INT_MAX, &pid, err) < 0)
		return err_set(err, EBADMSG, "%s asks what isn't a question: '%.100s'", helper_name, text);
	*blank = '\0';
	notice.pid = (pid_t)pid;
	int result = checkpoint->notify ? checkpoint->notify(checkpoint->owner, &notice, err) : 0;
	*fd = notice.fd;
	if (result < 0)
		snprintf(reply, sizeof(reply), "no %.1000s", err->msg);
	return fd_send(channel, reply, strlen(reply), NULL, 0, err);
}

static int wait_for_it(const struct checkpoint *checkpoint, int channel, struct err *err)
{
	struct pollfd p[] = { { .fd = channel, .events = POLLIN },
			      { .fd = checkpoint->cancel_fd > 0 ? checkpoint->cancel_fd : -1, .events = POLLIN } };
	int n;
	do
		n = poll(p, 2, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(err, "wait for %s", helper_name);
	return p[1].revents ? err_set(err, EINTR, "it was interrupted") : 0;
}

// 1: the end, with *out_value; 0: the helper is gone without one.
static int converse(const struct checkpoint *checkpoint, int channel, const char **out_value, struct err *err)
{
	char text[MESSAGE_MAX];
	for (;;) {
		own_fd int fd = -1;
		size_t count = 1;
		if (wait_for_it(checkpoint, channel, err) < 0)
			return -1;
		ssize_t n = fd_recv(channel, text, sizeof(text) - 1, &fd, &count, err);
		if (count == 0)
			fd = -1;
		if (n <= 0) // gone, maybe before it has read what was sent
			return n < 0 && err->code != ECONNRESET ? -1 : 0;
		text[n] = '\0';
		if (str_starts(text, "done ")) {
			*out_value = arena_strdup(checkpoint->arena, text + strlen("done "));
			return 1;
		}
		if (str_starts(text, "error "))
			return err_set(err, EIO, "%s", text + strlen("error "));
		struct err why;
		if (!str_starts(text, "notify ") || pass_on(checkpoint, channel, text, &fd, &why) < 0)
			return err_set(err, EBADMSG, "%s says what can't be understood: '%.100s'", helper_name, text);
	}
}

int checkpoint_run(const struct checkpoint *checkpoint, const char **out_value, struct err *err)
{
	own_helper struct helper h = { .channel = { -1, -1 }, .report = { -1, -1 } };
	const char *value = "0";
	int status = 0;
	h.path = checkpoint->helper ? checkpoint->helper : installed_helper(checkpoint->arena, helper_name);
	pid_t pid = start(checkpoint, &h, err);
	if (pid < 0)
		return -1;
	int result = converse(checkpoint, h.channel[0], &value, err);
	fd_close(&h.channel[0]);
	if (result < 0 && err->code == EINTR)
		kill(pid, SIGKILL); // and criu with it
	if (waitpid(pid, &status, 0) != pid)
		status = 0;
	if (result == 0)
		return err_set(err, EIO, "%s ended without an answer (status %d)", helper_name, proc_exit_code(status));
	if (result < 0)
		return -1;
	*out_value = value;
	return 0;
}
