// SPDX-License-Identifier: GPL-2.0-or-later
// folder.c - a temporary folder for one unit test
#include "tests/unit/shared/folder.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *const argv[])
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "%s %s: failed\n", argv[0], argv[2]);
		CU_FAIL("a command failed");
	}
}

int folder_make(char *name, size_t size)
{
	const char *top = getenv("COSO_TEST_DISK");
	snprintf(name, size, "%s/coso-unit.XXXXXX", top ? top : "/var/tmp");
	int fd = mkdtemp(name) ? open(name, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		perror(name);
		abort();
	}
	return fd;
}

void folder_remove(int *fd, const char *name)
{
	close(*fd);
	*fd = -1;
	run((const char *const[]){ "rm", "-rf", name, NULL });
}

void folder_shell(const char *name, const char *line)
{
	run((const char *const[]){ "sh", "-c", "cd \"$1\" && eval \"$2\"", "sh", name, line, NULL });
}
