// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_cache_test.c - filters stored and found; files that are damaged, foreign or too many
#include "coso/launch/caps.h"
#include "coso/launch/seccomp.h"
#include "coso/launch/seccomp_cache.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char key[] = "the key of a filter";

static struct sock_filter code[3] = { { 6, 0, 0, 1 }, { 6, 0, 0, 2 }, { 6, 0, 0, 3 } };

struct folder {
	char path[64];
	int fd;
};

static struct folder folder_make(void)
{
	struct folder folder = { .path = "/tmp/seccomp-cache-test.XXXXXX" };

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder.path));
	folder.fd = open(folder.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return folder;
}

// The name of the one filter that is there, or of the last; *out_count may be NULL.
static void only_file(const struct folder *folder, char name[64], size_t *out_count)
{
	DIR *stream = opendir(folder->path);
	size_t count = 0;

	*name = '\0';
	for (struct dirent *entry; (entry = readdir(stream));)
		if (entry->d_name[0] != '.') {
			snprintf(name, 64, "%.63s", entry->d_name);
			count++;
		}
	closedir(stream);
	if (out_count)
		*out_count = count;
}

static void folder_remove(struct folder *folder)
{
	DIR *stream = opendir(folder->path);

	for (struct dirent *entry; (entry = readdir(stream));)
		unlinkat(folder->fd, entry->d_name, 0);
	closedir(stream);
	close(folder->fd);
	CU_ASSERT_EQUAL(rmdir(folder->path), 0);
}

static bool found(const struct folder *folder)
{
	own_arena struct arena arena = { 0 };
	struct sock_fprog program = { 0 };

	if (!seccomp_cache_find(folder->fd, &arena, key, strlen(key), &program))
		return false;
	CU_ASSERT_EQUAL(program.len, 3);
	CU_ASSERT(!memcmp(program.filter, code, sizeof code));
	return true;
}

static void store(const struct folder *folder)
{
	own_arena struct arena arena = { 0 };
	struct sock_fprog program = { 3, code };

	seccomp_cache_store(folder->fd, &arena, key, strlen(key), &program);
}

TEST(seccomp_cache, what_was_stored_is_found)
{
	struct folder folder = folder_make();
	own_arena struct arena arena = { 0 };
	struct sock_fprog program;

	CU_ASSERT(!found(&folder));
	store(&folder);
	CU_ASSERT(found(&folder));
	CU_ASSERT(!seccomp_cache_find(folder.fd, &arena, key, strlen(key) - 1, &program));
	CU_ASSERT(!seccomp_cache_find(-1, &arena, key, strlen(key), &program));
	seccomp_cache_store(-1, &arena, key, strlen(key), &program);
	folder_remove(&folder);
}

TEST(seccomp_cache, a_damaged_file_is_never_used)
{
	struct folder folder = folder_make();
	unsigned char bytes[256];
	char name[64];

	store(&folder);
	only_file(&folder, name, NULL);
	int fd = openat(folder.fd, name, O_RDWR | O_CLOEXEC);
	ssize_t size = read(fd, bytes, sizeof bytes);

	CU_ASSERT_FATAL(size > 40 && size < (ssize_t)sizeof bytes);
	for (ssize_t i = 0; i < size; i++) {
		unsigned char other = bytes[i] ^ 1;

		CU_ASSERT_EQUAL(pwrite(fd, &other, 1, i), 1);
		CU_ASSERT(!found(&folder));
		CU_ASSERT_EQUAL(pwrite(fd, &bytes[i], 1, i), 1);
	}
	CU_ASSERT(found(&folder));
	CU_ASSERT_EQUAL(pwrite(fd, bytes, 8, size), 8);
	CU_ASSERT(!found(&folder));
	for (ssize_t shorter = size - 1; shorter >= 0; shorter--) {
		CU_ASSERT_EQUAL(ftruncate(fd, shorter), 0);
		CU_ASSERT(!found(&folder));
	}
	close(fd);
	store(&folder);
	CU_ASSERT(found(&folder));
	folder_remove(&folder);
}

TEST(seccomp_cache, a_file_that_others_could_write_is_never_used)
{
	struct folder folder = folder_make();
	char name[64];

	store(&folder);
	only_file(&folder, name, NULL);
	CU_ASSERT_EQUAL(fchmodat(folder.fd, name, 0620, 0), 0);
	CU_ASSERT(!found(&folder));
	CU_ASSERT_EQUAL(fchmodat(folder.fd, name, 0602, 0), 0);
	CU_ASSERT(!found(&folder));
	CU_ASSERT_EQUAL(fchmodat(folder.fd, name, 0600, 0), 0);
	CU_ASSERT(found(&folder));
	if (geteuid())
		printf("skipped: giving a file to another user takes root ");
	else {
		CU_ASSERT_EQUAL(fchownat(folder.fd, name, 12345, 12345, 0), 0);
		CU_ASSERT(!found(&folder));
		CU_ASSERT_EQUAL(fchownat(folder.fd, name, 0, 0, 0), 0);
	}
	CU_ASSERT_EQUAL(renameat(folder.fd, name, folder.fd, "elsewhere"), 0);
	CU_ASSERT_EQUAL(symlinkat("elsewhere", folder.fd, name), 0);
	CU_ASSERT(!found(&folder));
	CU_ASSERT_EQUAL(unlinkat(folder.fd, name, 0), 0);
	CU_ASSERT_EQUAL(mkfifoat(folder.fd, name, 0600), 0);
	CU_ASSERT(!found(&folder));
	folder_remove(&folder);
}

TEST(seccomp_cache, it_does_not_grow_for_ever)
{
	struct folder folder = folder_make();
	own_arena struct arena arena = { 0 };
	struct sock_fprog program = { 3, code };
	char name[64];
	size_t count;

	for (int i = 0; i < SECCOMP_CACHE_MAX; i++)
		seccomp_cache_store(folder.fd, &arena, arena_printf(&arena, "%03d", i), 3, &program);
	only_file(&folder, name, &count);
	CU_ASSERT_EQUAL(count, SECCOMP_CACHE_MAX);
	store(&folder);
	only_file(&folder, name, &count);
	CU_ASSERT_EQUAL(count, 1);
	CU_ASSERT(found(&folder));
	folder_remove(&folder);
}

TEST(seccomp_cache, a_profile_is_compiled_once)
{
	struct folder folder = folder_make();
	struct spec_process process = { .caps = { .bounding = UINT64_C(0x18000000004) } }; // no built-in filter has these three
	struct seccomp first = { 0 }, second = { 0 };
	char name[64];

	CU_ASSERT_EQUAL_FATAL(seccomp_prepare(&process, folder.fd, &first, NULL), 0);
	CU_ASSERT_STRING_EQUAL(first.origin, "compiled");
	CU_ASSERT_EQUAL_FATAL(seccomp_prepare(&process, folder.fd, &second, NULL), 0);
	CU_ASSERT_STRING_EQUAL(second.origin, "cache");
	CU_ASSERT_EQUAL(first.program.len, second.program.len);
	CU_ASSERT(!memcmp(first.program.filter, second.program.filter, first.program.len * sizeof(struct sock_filter)));
	CU_ASSERT_EQUAL(first.flags, second.flags);
	seccomp_free(&second);
	only_file(&folder, name, NULL);
	close(openat(folder.fd, name, O_WRONLY | O_TRUNC | O_CLOEXEC));
	CU_ASSERT_EQUAL_FATAL(seccomp_prepare(&process, folder.fd, &second, NULL), 0);
	CU_ASSERT_STRING_EQUAL(second.origin, "compiled");
	seccomp_free(&first);
	seccomp_free(&second);
	folder_remove(&folder);
}
