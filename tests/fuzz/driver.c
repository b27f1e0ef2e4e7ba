// SPDX-License-Identifier: GPL-2.0-or-later
// driver.c - runs files, or those of folders, through a fuzz target; for compilers without libFuzzer
#include "tests/fuzz/fuzz.h"

#include "shared/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static size_t ran;

static int run_file(const char *path)
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	size_t size;
	const char *text = file_read(&arena, AT_FDCWD, path, FILE_CONFIG, &size, &err);
	if (!text) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	unsigned char *exact = malloc(size ? size : 1); // so that sanitizers see a read beyond the end
	if (!exact)
		abort();
	memcpy(exact, text, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	ran++;
	return 0;
}

static int run(const char *path)
{
	own_arena struct arena arena = { 0 };
	struct stat st;
	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return run_file(path);
	DIR *folder = opendir(path);
	int result = folder ? 0 : -1;
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (entry->d_name[0] != '.' && run_file(arena_printf(&arena, "%s/%s", path, entry->d_name)) < 0)
			result = -1;
	}
	if (folder)
		closedir(folder);
	return result;
}

int main(int argc, char **argv)
{
	int result = 0;
	for (int i = 1; i < argc; i++) {
		if (run(argv[i]) < 0)
			result = 1;
	}
	printf("%zu inputs\n", ran);
	return ran ? result : 1;
}
