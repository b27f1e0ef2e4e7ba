// SPDX-License-Identifier: GPL-2.0-or-later
// state_test.c - what is written about a container can be read again, and a broken file is refused
#include "coso/engine/run.h"
#include "coso/engine/state.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/proc.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int folder_open(char *name)
{
	if (!mkdtemp(name))
		abort();
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void folder_close(int *fd, const char *name)
{
	unlinkat(*fd, "state.json", 0);
	fd_close(fd);
	CU_ASSERT_EQUAL(rmdir(name), 0);
}

TEST(state, is_read_as_it_was_written)
{
	char name[] = "/tmp/coso-state.XXXXXX";
	int fd = folder_open(name);
	own_arena struct arena arena = { 0 };
	const struct state in = { .id = "one",
				  .rootfs = "/r\303\274",
				  .command = "a \"b\" \\ \n",
				  .created = "now",
				  .pid = 5,
				  .pid_start = 1ULL << 60,
				  .owner = 6,
				  .owner_start = 7,
				  .detached = true,
				  .ended = true,
				  .exit_code = 255 };
	struct state out = { .network = "x" };
	CU_ASSERT_EQUAL(state_write(fd, &in, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(state_read(&arena, fd, &out, NULL), 0);
	CU_ASSERT_STRING_EQUAL(out.id, in.id);
	CU_ASSERT_STRING_EQUAL(out.rootfs, in.rootfs);
	CU_ASSERT_STRING_EQUAL(out.command, in.command);
	CU_ASSERT_PTR_NULL(out.network);
	CU_ASSERT_EQUAL(out.pid_start, in.pid_start);
	CU_ASSERT_EQUAL(out.owner, 6);
	CU_ASSERT_TRUE(out.detached && out.ended && !out.remove);
	CU_ASSERT_EQUAL(out.exit_code, 255);
	folder_close(&fd, name);
}

TEST(state, takes_bytes_that_are_no_utf8)
{
	char name[] = "/tmp/coso-state.XXXXXX";
	int fd = folder_open(name);
	own_arena struct arena arena = { 0 };
	struct state out, in = { .id = "one", .rootfs = "/\377", .command = "a \303( b", .network = "/n\200", .created = "now" };
	CU_ASSERT_EQUAL(state_write(fd, &in, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(state_read(&arena, fd, &out, NULL), 0);
	CU_ASSERT_STRING_EQUAL(out.rootfs, "/?");
	CU_ASSERT_STRING_EQUAL(out.command, "a ?( b");
	CU_ASSERT_STRING_EQUAL(out.network, "/n?");
	folder_close(&fd, name);
}

TEST(state, broken_files_are_refused)
{
	static const char *const wrong[] = { "",
					     "{",
					     "[]",
					     "{}",
					     "null",
					     "{\"version\": 1}",
					     "{\"version\": 2, \"id\": \"x\"}",
					     "{\"version\": 1, \"id\": 5}",
					     "{\"version\": 1, \"id\": \"x\", \"id\": \"y\"}",
					     "\377" };
	char name[] = "/tmp/coso-state.XXXXXX";
	int fd = folder_open(name);
	own_arena struct arena arena = { 0 };
	struct state out;
	CU_ASSERT_EQUAL(state_read(&arena, fd, &out, NULL), -1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = { 0 };
		CU_ASSERT_EQUAL(file_replace(fd, "state.json", wrong[i], strlen(wrong[i]), 0600, NULL), 0);
		CU_ASSERT_EQUAL(state_read(&arena, fd, &out, &err), -1);
		CU_ASSERT_NOT_EQUAL(err.msg[0], '\0');
	}
	folder_close(&fd, name);
}

TEST(state, the_kernel_says_what_runs)
{
	struct state state = { .pid = getpid(), .pid_start = proc_start_time(getpid()) };
	CU_ASSERT_TRUE(state_is_running(&state));
	state.pid_start++; // another process of that number
	CU_ASSERT_FALSE(state_is_running(&state));
	state.pid_start = 0;
	CU_ASSERT_FALSE(state_is_running(&state));
	state.pid = 0;
	CU_ASSERT_FALSE(state_is_running(&state));
}

TEST(run, ids)
{
	static const char *const wrong[] = {
		"",    ".",   "..",  ".a",       "-a",   "_a",
		"a/b", "a b", "a\n", "\303\244", "../x", "12345678901234567890123456789012345678901234567890123456789012345"
	};
	static const char *const right[] = { "a", "0", "a.b-c_D",
					     "1234567890123456789012345678901234567890123456789012345678901234" };
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(run_check_id(wrong[i], NULL), -1);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		CU_ASSERT_EQUAL(run_check_id(right[i], NULL), 0);
	const char *one = run_new_id(&arena), *two = run_new_id(&arena);
	CU_ASSERT_EQUAL(strlen(one), 12);
	CU_ASSERT_EQUAL(run_check_id(one, NULL), 0);
	CU_ASSERT_STRING_NOT_EQUAL(one, two);
}
