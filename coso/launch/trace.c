// SPDX-License-Identifier: GPL-2.0-or-later
// trace.c - Chrome trace events
#include "coso/launch/trace.h"

#include "shared/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int trace_open(const char *path, struct err *err)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);
	if (fd < 0 || fd_write_full(fd, "[\n", 2) < 0)
		return err_sys(err, "--trace: make '%s'", path);
	return take_fd(&fd);
}

static void put(int fd, const char *name, char phase)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	// The child is pid 1 in its own namespace; its pid as seen from there tells the two apart.
	long pid = syscall(SYS_getpid);
	char line[256];
	int n = snprintf(line, sizeof(line),
			 "{\"name\":\"%.64s\",\"cat\":\"launch\",\"ph\":\"%c\",\"ts\":%lld.%03ld,\"pid\":%ld,\"tid\":%ld},\n", name,
			 phase, (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, now.tv_nsec % 1000, pid, pid);
	if (n > 0 && (size_t)n < sizeof(line))
		(void)!write(fd, line, (size_t)n);
}

void trace_event(int fd, const char *name, enum trace_phase phase)
{
	if (fd >= 0)
		put(fd, name, (char)phase);
}

void trace_close(int *fd)
{
	// Events end with a comma each: a last one without it makes the array valid.
	static const char end[] = "{\"name\":\"end\",\"ph\":\"M\",\"pid\":0,\"tid\":0,\"args\":{}}\n]\n";
	if (*fd >= 0)
		(void)!write(*fd, end, sizeof(end) - 1);
	fd_close(fd);
}
