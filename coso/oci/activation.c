// SPDX-License-Identifier: GPL-2.0-or-later
// activation.c - descriptors that the program inherits
#include "coso/oci/activation.h"

#include "shared/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST = STDERR_FILENO + 1, COUNT_MAX = 1 << 16 };

static int listen_count(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint64_t number, owner;
	if (!count || num_u64("LISTEN_FDS", count, 0, COUNT_MAX, &number, NULL) < 0)
		return 0;
	if (pid && (num_u64("LISTEN_PID", pid, 1, INT32_MAX, &owner, NULL) < 0 || (pid_t)owner != getpid()))
		return 0;
	return (int)number;
}

int activation_read(int inherited, const char *preserve, struct activation *out, struct err *err)
{
	uint64_t more = 0;
	if (preserve && num_u64("--preserve-fds", preserve, 0, COUNT_MAX, &more, err) < 0)
		return -1;
	struct activation a = { .listen = listen_count() };
	bool leftover = !getenv("LISTEN_PID") && !inherited;
	a.count = (leftover ? 0 : a.listen) + (int)more;
	if (a.count > inherited)
		return err_set(err, EBADF, "unable to stat preserved-fd %d (of %d): %d isn't open", inherited, a.count,
			       FIRST + inherited);
	*out = a;
	return 0;
}

int activation_keep(const struct activation *a, struct err *err)
{
	for (int fd = FIRST; fd < FIRST + a->count; fd++) {
		if (fcntl(fd, F_SETFD, 0) < 0)
			return err_sys(err, "preserve descriptor %d", fd);
	}
	return 0;
}

void activation_apply(const struct activation *a, struct spec *spec)
{
	if (!a->listen)
		return;
	strv_setenv(spec->arena, &spec->process.env, arena_printf(spec->arena, "LISTEN_FDS=%d", a->listen));
	strv_setenv(spec->arena, &spec->process.env, "LISTEN_PID=1");
}
