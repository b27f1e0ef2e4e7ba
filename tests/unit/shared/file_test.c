// SPDX-License-Identifier: GPL-2.0-or-later
// file_test.c - whole small files
#include "shared/file.h"

#include "shared/fd.h"
#include "tests/unit/shared/folder.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char name[64];

TEST(file, reads_up_to_the_cap_and_not_a_byte_more)
{
	own_arena struct arena arena = { 0 };
	int dir = folder_make(name, sizeof(name));
	struct err err = { 0 };
	folder_shell(name, "printf hello >five; : >empty; head -c 10000 /dev/zero >large; head -c 4096 /dev/zero >page");
	size_t size = 0;
	CU_ASSERT_STRING_EQUAL(file_read(&arena, dir, "five", 5, &size, NULL), "hello");
	CU_ASSERT_EQUAL(size, 5);
	CU_ASSERT_STRING_EQUAL(file_read(&arena, dir, "empty", 5, &size, NULL), "");
	CU_ASSERT_EQUAL(size, 0);
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "five", 4, NULL, &err));
	CU_ASSERT_EQUAL(err.code, EFBIG);
	CU_ASSERT_PTR_NOT_NULL(file_read(&arena, dir, "large", 10000, &size, NULL));
	CU_ASSERT_EQUAL(size, 10000);
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "large", 9999, NULL, NULL));
	CU_ASSERT_PTR_NOT_NULL(file_read(&arena, dir, "page", 4096, &size, NULL));
	CU_ASSERT_EQUAL(size, 4096);
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "page", 4095, NULL, NULL));
	folder_remove(&dir, name);
}

TEST(file, reads_proc_whose_files_have_no_size)
{
	own_arena struct arena arena = { 0 };
	size_t size = 0;
	const char *text = file_read(&arena, AT_FDCWD, "/proc/self/status", FILE_SMALL, &size, NULL);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(strlen(text), size);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "CapEff:"));
	CU_ASSERT_PTR_NULL(file_read(&arena, AT_FDCWD, "/proc/self/status", 10, NULL, NULL));
}

TEST(file, never_reads_what_could_block)
{
	own_arena struct arena arena = { 0 };
	int dir = folder_make(name, sizeof(name));
	struct err err = { 0 };
	folder_shell(name, "mkfifo fifo; mkdir folder; ln -s /dev/zero zero; ln -s loop loop");
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "fifo", FILE_SMALL, NULL, &err));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "not a regular file"));
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "folder", FILE_SMALL, NULL, NULL));
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "zero", FILE_SMALL, NULL, NULL));
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "loop", FILE_SMALL, NULL, &err));
	CU_ASSERT_EQUAL(err.code, ELOOP);
	CU_ASSERT_PTR_NULL(file_read(&arena, dir, "missing", FILE_SMALL, NULL, &err));
	CU_ASSERT_EQUAL(err.code, ENOENT);
	folder_remove(&dir, name);
}

TEST(file, put_writes_what_exists_only)
{
	own_arena struct arena arena = { 0 };
	int dir = folder_make(name, sizeof(name));
	struct err err = { 0 };
	folder_shell(name, ": >there");
	CU_ASSERT_EQUAL(file_put(dir, "there", "1", NULL), 0);
	CU_ASSERT_STRING_EQUAL(file_read(&arena, dir, "there", 9, NULL, NULL), "1");
	CU_ASSERT_EQUAL(file_put(dir, "missing", "1", &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(file_put(AT_FDCWD, "/dev/full", "1", &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOSPC);
	folder_remove(&dir, name);
}

TEST(file, replace_is_whole_or_nothing)
{
	own_arena struct arena arena = { 0 };
	struct stat st;
	struct err err = { 0 };
	int dir = folder_make(name, sizeof(name));
	CU_ASSERT_EQUAL(file_replace(dir, "state", "old", 3, 0600, NULL), 0);
	CU_ASSERT_EQUAL(fstatat(dir, "state", &st, 0), 0);
	CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
	own_fd int reader = openat(dir, "state", O_RDONLY | O_CLOEXEC);
	CU_ASSERT_EQUAL(file_replace(dir, "state", "newer", 5, 0600, NULL), 0);
	CU_ASSERT_STRING_EQUAL(file_read_fd(&arena, reader, "state", 9, NULL, NULL), "old"); // who has it open sees the old one
	CU_ASSERT_STRING_EQUAL(file_read(&arena, dir, "state", 9, NULL, NULL), "newer");
	folder_shell(name, "mkdir folder folder/x");
	CU_ASSERT_EQUAL(file_replace(dir, "folder", "x", 1, 0600, &err), -1);
	folder_shell(name, "test \"$(ls -A)\" = \"folder\nstate\""); // no temporary file is left
	char large[300];
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	CU_ASSERT_EQUAL(file_replace(dir, large, "x", 1, 0600, &err), -1);
	folder_remove(&dir, name);
}
