// SPDX-License-Identifier: GPL-2.0-or-later
// notify.c - hands the listener of a filter to the program that answers
#include "coso/launch/notify.h"

#include "coso/launch/gate.h"
#include "shared/fd.h"
#include "shared/local.h"
#include "shared/sys.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TIMEOUT_MS = 30000 };

int notify_hand_over(int *listener, int out, int in, struct err *err)
{
	const struct report report = { .kind = REPORT_LISTENER, .listener = *listener };
	char byte;
	if (fd_write_full(out, &report, sizeof(report)) < 0)
		return err_sys(err, "report the seccomp listener");
	ssize_t n = fd_read_full(in, &byte, 1);
	if (n < 0)
		return err_sys(err, "wait until the seccomp listener was handed over (the filter has to allow read)");
	if (n == 0)
		return err_set(err, EPIPE, "the launcher is gone");
	fd_close(listener);
	return 0;
}

// "fds": what each descriptor is, in the order in which they are sent.
static json_t *process_state(const struct spec *spec, const struct notify_process *process, json_t *state)
{
	json_t *all = json_pack("{s:s, s:[s], s:i, s:O}", "ociVersion", spec->oci_version ? spec->oci_version : "1.0.2", "fds",
				"seccompFd", "pid", (int)process->pid, "state", state);
	const char *metadata = spec->process.seccomp_metadata;
	if (all && metadata)
		json_object_set_new(all, "metadata", json_string(metadata));
	return all;
}

static char *process_state_text(const struct spec *spec, const struct notify_process *process, const char *state, struct err *err)
{
	json_error_t why;
	json_t *parsed = json_loads(state, 0, &why), *all = parsed ? process_state(spec, process, parsed) : NULL;
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	if (!text)
		err_set(err, EINVAL, "state for the seccomp listener: %s", parsed ? "a text isn't UTF-8" : why.text);
	json_decref(all);
	json_decref(parsed);
	return text;
}

static int take_listener(const struct notify_process *process, struct err *err)
{
	int fd = sys_pidfd_getfd(process->pidfd, process->listener, 0);
	if (fd >= 0)
		return fd;
	if (errno == ENOSYS)
		return err_set(err, ENOSYS, "seccomp notify unsupported: taking over the listener needs Linux 5.6");
	err_sys(err, "take over the seccomp listener");
	return err->code == EPERM ? err_hint(err, "it takes CAP_SYS_PTRACE") : -1;
}

int notify_send(const struct spec *spec, const struct notify_process *process, const char *state, struct err *err)
{
	const char *path = spec->process.seccomp_listener;
	char *text = process_state_text(spec, process, state, err);
	own_fd int listener = -1, s = -1;
	int rc = -1;
	if (!text)
		return -1;
	if ((listener = take_listener(process, err)) < 0)
		goto done;
	if ((s = local_connect(path, TIMEOUT_MS, err)) >= 0)
		rc = fd_send_stream(s, text, strlen(text), listener, err);
	if (rc < 0 && err)
		err_wrap(err, "hand the seccomp listener to '%s'", path);
done:
	free(text);
	return rc;
}

int notify_go(int fd, struct err *err)
{
	ssize_t n;
	do
		n = send(fd, "", 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : err_sys(err, "let the process with the seccomp listener go on");
}
