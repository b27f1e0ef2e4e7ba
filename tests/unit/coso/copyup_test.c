// SPDX-License-Identifier: GPL-2.0-or-later
// copyup_test.c - a copy is like what was copied, and what an image contains leads nowhere else
#include "coso/launch/copyup.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char top[64];

static int shell(const char *line)
{
	const char *disk = getenv("COSO_TEST_DISK");
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		execlp("sh", "sh", "-c", "cd \"$1\" && eval \"$2\"", "sh",
		       *top ? top :
		       disk ? disk :
			      "/var/tmp",
		       line, (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void begin(const char *line)
{
	const char *disk = getenv("COSO_TEST_DISK");
	snprintf(top, sizeof(top), "%s/coso-unit.XXXXXX", disk ? disk : "/var/tmp");
	if (!mkdtemp(top))
		abort();
	CU_ASSERT_EQUAL(shell("umask 022; mkdir from to canary; echo secret >canary/file"), 0);
	CU_ASSERT_EQUAL(shell(line), 0);
}

static int copy(struct err *err)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/from", top);
	own_fd int from = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/to", top);
	own_fd int to = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return copyup_tree(from, to, err);
}

static void end(void)
{
	CU_ASSERT_EQUAL(shell("test \"$(ls -A canary)\" = file && test \"$(cat canary/file)\" = secret"), 0);
	CU_ASSERT_EQUAL(shell("rm -rf \"$PWD\""), 0);
	top[0] = '\0';
}

#define SAME                                                                                                                       \
	"list() { (cd $1 && find . -printf '%p %y %m %U %G %s %l %T@\\n' | grep -v '^[^ ]* d' | sort; find . -type d "             \
	"-printf '%p %m %U %G %T@\\n' | sort; find . -type f -exec sha256sum {} + | sort); }; test \"$(list from)\" = \"$(list to)\""

TEST(copyup, is_like_the_original)
{
	struct err err = { 0 };
	char value[8] = "";
	begin("cd from; mkdir -m 711 -p d/e; mkdir -m 2777 sgid; echo text >file; chmod 4640 file; head -c 3000000 /dev/urandom >big;"
	      "ln -s /nowhere link; ln -s ../../canary/file out; mkfifo -m 622 fifo; : >empty; touch -d '2001-02-03 04:05:06.7' d/e;"
	      "for i in $(seq 300); do : >d/a-rather-long-name-so-that-one-list-does-not-hold-them-all-$i; done; chmod 750 ."
	      "; touch -d '2002-02-03' .; test $(id -u) != 0 || { chown 1234:567 big d; chown -h 1234:567 link; mknod null c 1 3; }");
	char path[96];
	snprintf(path, sizeof(path), "%s/from/d", top);
	bool has = setxattr(path, "user.x", "value", 5, 0) == 0;
	CU_ASSERT_EQUAL(shell("touch -d '2003-02-03' from/d"), 0);
	CU_ASSERT_EQUAL(copy(&err), 0);
	CU_ASSERT_EQUAL(shell(SAME), 0);
	snprintf(path, sizeof(path), "%s/to/d", top);
	if (has) {
		CU_ASSERT_EQUAL(getxattr(path, "user.x", value, sizeof(value)), 5);
		CU_ASSERT_NSTRING_EQUAL(value, "value", 5);
	}
	end();
}

TEST(copyup, goes_so_deep_and_no_deeper)
{
	struct err err = { 0 };
	begin("cd from; i=0; while [ $i -lt 100 ]; do mkdir d && cd d && i=$((i+1)); done");
	CU_ASSERT_EQUAL(copy(&err), 0);
	CU_ASSERT_EQUAL(shell("rm -r to && mkdir to; cd from; i=0; while [ $i -lt 100 ]; do cd d && i=$((i+1)); done; mkdir d"), 0);
	CU_ASSERT_EQUAL(copy(&err), -1);
	CU_ASSERT_EQUAL(err.code, ELOOP);
	end();
}

TEST(copyup, is_of_a_folder)
{
	struct err err = { 0 };
	begin("rmdir from; : >from");
	char path[96];
	snprintf(path, sizeof(path), "%s/from", top);
	own_fd int from = open(path, O_PATH | O_CLOEXEC);
	CU_ASSERT_EQUAL(copyup_tree(from, from, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOTDIR);
	end();
}
