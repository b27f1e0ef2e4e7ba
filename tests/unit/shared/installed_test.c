// SPDX-License-Identifier: GPL-2.0-or-later
// installed_test.c - where a program is, and what a copy of it knows
#include "shared/fd.h"
#include "shared/installed.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

TEST(installed, helpers_are_beside_it_or_in_libexec)
{
	own_arena struct arena arena = { 0 };
	const char *folder = installed_folder(&arena);
	CU_ASSERT_STRING_EQUAL(installed_helper(&arena, "unit-shared"), arena_printf(&arena, "%s/unit-shared", folder));
	CU_ASSERT_STRING_EQUAL(installed_helper(&arena, "nothing"), arena_printf(&arena, "%s/../libexec/coso/nothing", folder));
}

TEST(installed, folder_of_this_program)
{
	struct arena arena = { 0 };
	CU_ASSERT_EQUAL(setenv(INSTALLED_VARIABLE, "/somewhere/else", 1), 0); // which only a copy believes
	if (!installed_is_copy()) {
		const char *folder = installed_folder(&arena);
		CU_ASSERT_TRUE(*folder == '/' && access(arena_printf(&arena, "%s/unit-shared", folder), X_OK) == 0);
	}
	unsetenv(INSTALLED_VARIABLE);
	arena_free(&arena);
}

TEST(installed, what_nobody_can_write)
{
	own_fd int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CU_ASSERT_FALSE(installed_is_unwritable(fd));
	CU_ASSERT_EQUAL(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	CU_ASSERT_TRUE(installed_is_unwritable(fd));
	CU_ASSERT_FALSE(installed_is_unwritable(-1));
}
