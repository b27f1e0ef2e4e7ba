// SPDX-License-Identifier: GPL-2.0-or-later
// lock.c - one at a time: the lock that iptables takes
#include "cosonet/lock.h"

#include "shared/fd.h"
#include "shared/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>

enum { WAIT_MS = 10000, STEP_NS = 2000000 };

int lock_take(struct err *err)
{
	const char *path = secure_getenv("XTABLES_LOCKFILE");
	if (!path || !*path)
		path = "/run/xtables.lock";
	own_fd int fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(err, "open the firewall's lock '%s'", path);
		return err_hint(err, "XTABLES_LOCKFILE names another place");
	}
	int64_t end = proc_now_ms() + WAIT_MS;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock '%s'", path);
		if (proc_now_ms() > end)
			return err_set(err, EBUSY, "lock '%s': another program has held it for %d s; see who: fuser -v %s", path,
				       WAIT_MS / 1000, path);
		nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
	}
	return take_fd(&fd);
}
