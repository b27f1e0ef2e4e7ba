// SPDX-License-Identifier: GPL-2.0-or-later
// external_test.c - what is said to criu of a container's outside
#include "coso/launch/external.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TEST(external, keys_of_streams)
{
	CU_ASSERT(external_is_stream("pipe:[123]") && external_is_stream("socket:[1]") && external_is_stream("file[6d:3fa]"));
	CU_ASSERT(!external_is_stream("") && !external_is_stream("pipe:[]") && !external_is_stream("pipe:[1]x"));
	CU_ASSERT(!external_is_stream("pipe:[a]") && !external_is_stream("file[/etc/shadow]") && !external_is_stream("/dev/null"));
	CU_ASSERT(!external_is_stream("pipe:[1") && !external_is_stream("net[1]"));
}

TEST(external, containers_that_cannot_be_written)
{
	struct err err;
	struct spec_mount mount = { .destination = "/data", .type = "bind", .idmap = SPEC_IDMAP_MOUNT };
	struct spec_join join = { CLONE_NEWUSER, "/proc/1/ns/user" };
	struct spec spec = { .root.path = "/", .namespaces = CLONE_NEWNS | CLONE_NEWUSER };
	CU_ASSERT_EQUAL(external_check(&spec, &err), 0);
	spec.mounts = &mount;
	spec.mount_count = 1;
	CU_ASSERT_EQUAL(external_check(&spec, &err), -1);
	CU_ASSERT(err.code == ENOTSUP && strstr(err.msg, "mount on '/data'"));
	spec.mount_count = 0;
	spec.joins = &join;
	spec.join_count = 1;
	CU_ASSERT_EQUAL(external_check(&spec, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "joined a user namespace"));
	spec.join_count = 0;
	spec.rdt.given = true;
	CU_ASSERT_EQUAL(external_check(&spec, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "linux.intelRdt"));
	spec.rdt.given = false;
	spec.namespaces = 0;
	CU_ASSERT_EQUAL(external_check(&spec, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "mount namespace"));
}

static bool has(const struct strv *words, const char *option, const char *value)
{
	for (size_t i = 0; i + 1 < words->count; i++) {
		if (str_eq(words->items[i], option) && str_eq(words->items[i + 1], value))
			return true;
	}
	return false;
}

// Of this very process: a mount at /proc, which is said to be bound there, and a pipe on stdin.
TEST(external, a_process_is_looked_at)
{
	own_arena struct arena arena = { 0 };
	struct external found;
	struct err err;
	struct spec_mount mounts[] = { { .destination = "/proc/.", .type = "bind" },
				       { .destination = "/proc/self", .type = "bind" } };
	const struct spec spec = { .mounts = mounts, .mount_count = 2 };
	int ends[2];
	own_fd int old = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL_FATAL(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	CU_ASSERT_EQUAL(external_look(&arena, &spec, getpid(), &found, &err), 0);
	CU_ASSERT(str_starts(found.streams[0], "pipe:["));
	CU_ASSERT(has(&found.words, "--ext-mount", "/proc:/proc"));
	CU_ASSERT(!has(&found.words, "--ext-mount", "/proc/self:/proc/self"));
	dup2(old, STDIN_FILENO);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}
