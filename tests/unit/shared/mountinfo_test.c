// SPDX-License-Identifier: GPL-2.0-or-later
// mountinfo_test.c - lines of /proc/PID/mountinfo, and what is none
#include "shared/arena.h"
#include "shared/file.h"
#include "shared/mountinfo.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>

TEST(mountinfo, lines)
{
	char line[] =
		"36 35 98:0 /mnt1 /mnt2/a\\040b\\134\\011 rw,noatime master:1 shared:7 - ext3 /dev/ro\\040ot rw,errors=continue\n";
	char bare[] = "36 35 98:0 / / rw - tmpfs  rw", odd[] = "1 2 3:4 /\\040 /a\\04\\x rw - fuse.x x rw";
	struct mountinfo m;
	CU_ASSERT_FATAL(mountinfo_parse(line, &m));
	CU_ASSERT_STRING_EQUAL(m.root, "/mnt1");
	CU_ASSERT_STRING_EQUAL(m.point, "/mnt2/a b\\\t");
	CU_ASSERT_STRING_EQUAL(m.type, "ext3");
	CU_ASSERT_STRING_EQUAL(m.source, "/dev/ro ot");
	CU_ASSERT_STRING_EQUAL(m.options, "rw,errors=continue");
	CU_ASSERT_FATAL(mountinfo_parse(bare, &m));
	CU_ASSERT_STRING_EQUAL(m.point, "/");
	CU_ASSERT_STRING_EQUAL(m.source, "");
	CU_ASSERT_STRING_EQUAL(m.options, "rw");
	CU_ASSERT_FATAL(mountinfo_parse(odd, &m));
	CU_ASSERT_STRING_EQUAL(m.root, "/ ");
	CU_ASSERT_STRING_EQUAL(m.point, "/a\\04\\x");
}

TEST(mountinfo, what_is_none)
{
	char wrong[][64] = { "",
			     " - ",
			     "36 35 98:0 / /",
			     "36 35 98:0 / / rw tmpfs none rw",
			     "36 35 98:0 / / - tmpfs none rw",
			     "36 35 98:0 / / rw - tmpfs none",
			     "36 35 98:0 / / rw - ",
			     "36 35 98:0 / - tmpfs none rw" };
	struct mountinfo m = { .point = wrong[0] };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_FALSE(mountinfo_parse(wrong[i], &m));
	CU_ASSERT_PTR_EQUAL(m.point, wrong[0]);
}

TEST(mountinfo, every_line_of_the_kernels)
{
	own_arena struct arena arena = { 0 };
	char *save = NULL, *text = file_read(&arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, NULL);
	struct mountinfo m;
	bool proc = false;
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		CU_ASSERT_FATAL(mountinfo_parse(line, &m));
		proc |= strcmp(m.type, "proc") == 0 && strcmp(m.point, "/proc") == 0;
	}
	CU_ASSERT(proc);
}
