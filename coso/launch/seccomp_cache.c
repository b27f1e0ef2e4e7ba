// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_cache.c - compiled filters in a folder
//
// A file is: header, key, padding to 8 bytes, instructions. Its name is a hash of the key.

#include "coso/launch/seccomp_cache.h"

#include "shared/fd.h"
#include "shared/file.h"
#include "shared/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20 };

static const char magic[8] = "COSOBPF1";

struct header {
	char magic[8];
	uint64_t checksum; // of all that follows it
	uint32_t key_size;
	uint32_t count; // instructions
};

struct cache_name {
	char text[32];
};

// The hash need not withstand an attacker: only the owner of the folder writes here, and keys are compared whole.
static struct cache_name name_of(const char *key, size_t key_size)
{
	struct cache_name name;

	snprintf(name.text, sizeof name.text, "%016llx.bpf", (unsigned long long)hash_bytes(key, key_size));
	return name;
}

static size_t padded(size_t key_size)
{
	return (key_size + 7) & ~(size_t)7;
}

static uint64_t checksum(const struct header *header, size_t size)
{
	size_t start = offsetof(struct header, checksum) + sizeof header->checksum;

	return hash_bytes((const char *)header + start, size - start);
}

// A file that somebody else could have written isn't looked at.
static bool is_ours(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & 022);
}

static bool is_whole(const char *data, size_t size, const char *key, size_t key_size)
{
	const struct header *header = (const void *)data;

	return size >= sizeof *header && !memcmp(header->magic, magic, sizeof magic) && header->key_size == key_size &&
	       header->count > 0 && header->count <= BPF_MAXINSNS &&
	       size == sizeof *header + padded(key_size) + header->count * sizeof(struct sock_filter) &&
	       header->checksum == checksum(header, size) && !memcmp(data + sizeof *header, key, key_size);
}

// Counts the filters, or removes them.
static size_t filters_visit(int folder, bool remove)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0;

	if (!stream) {
		fd_close(&fd);
		return 0;
	}
	for (struct dirent *entry; (entry = readdir(stream));) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || strcmp(entry->d_name + length - 4, ".bpf") != 0)
			continue;
		count++;
		if (remove)
			unlinkat(folder, entry->d_name, 0);
	}
	closedir(stream);
	return count;
}

bool seccomp_cache_find(int folder, struct arena *arena, const char *key, size_t key_size, struct sock_fprog *out_program)
{
	struct cache_name name = name_of(key, key_size);
	size_t size;

	if (folder < 0)
		return false;
	own_fd int fd = openat(folder, name.text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || !is_ours(fd))
		return false;
	char *data = file_read_fd(arena, fd, name.text, FILE_MAX, &size, NULL);

	if (!data || !is_whole(data, size, key, key_size))
		return false;
	out_program->len = (unsigned short)((const struct header *)(const void *)data)->count;
	out_program->filter = (void *)(data + sizeof(struct header) + padded(key_size));
	return true;
}

void seccomp_cache_store(int folder, struct arena *arena, const char *key, size_t key_size, const struct sock_fprog *program)
{
	struct cache_name name = name_of(key, key_size);
	size_t code = program->len * sizeof *program->filter, size = sizeof(struct header) + padded(key_size) + code;
	struct header *header;

	if (folder < 0 || size > FILE_MAX)
		return;
	if (filters_visit(folder, false) >= SECCOMP_CACHE_MAX)
		filters_visit(folder, true);
	header = arena_alloc(arena, size);
	memcpy(header->magic, magic, sizeof magic);
	header->key_size = (uint32_t)key_size;
	header->count = program->len;
	memcpy((char *)header + sizeof *header, key, key_size);
	memcpy((char *)header + sizeof *header + padded(key_size), program->filter, code);
	header->checksum = checksum(header, size);
	file_replace(folder, name.text, (const char *)header, size, 0600, NULL);
}
