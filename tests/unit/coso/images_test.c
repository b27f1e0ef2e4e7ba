// SPDX-License-Identifier: GPL-2.0-or-later
// images_test.c - the keys of streams beside the images
#include "coso/oci/images.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/path.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_of(struct arena *arena, const struct images *images, const char *text, const char *keys[3], struct err *err)
{
	CU_ASSERT_EQUAL(file_replace(images->folder, "descriptors.json", text, strlen(text), 0600, err), 0);
	return images_read_streams(arena, images, keys, err);
}

TEST(images, keys_are_written_and_read)
{
	own_arena struct arena arena = { 0 };
	char folder[] = "/tmp/coso-unit.XXXXXX";
	const char *const given[] = { "pipe:[12]", "", "file[1:a]" }, *keys[3];
	struct images images;
	struct err err;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	CU_ASSERT_EQUAL_FATAL(images_make(&arena, folder, NULL, &images, &err), 0);
	CU_ASSERT(str_eq(images.path, folder) && str_eq(images.work, folder));
	CU_ASSERT_EQUAL(images_read_streams(&arena, &images, keys, &err), 0); // none: none
	CU_ASSERT(str_eq(keys[0], "") && str_eq(keys[2], ""));
	CU_ASSERT_EQUAL(images_write_streams(&images, given, &err), 0);
	CU_ASSERT_EQUAL(images_read_streams(&arena, &images, keys, &err), 0);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_STRING_EQUAL(keys[i], given[i]);
	// What is no key is nothing that is passed on.
	CU_ASSERT_EQUAL(read_of(&arena, &images, "[\"/etc/shadow\", 7, \"pipe:[1]\"]", keys, &err), 0);
	CU_ASSERT(str_eq(keys[0], "") && str_eq(keys[1], "") && str_eq(keys[2], "pipe:[1]"));
	static const char *const wrong[] = { "", "{}", "[]", "[\"pipe:[1]\"]", "nonsense", "[1,2,3,4]" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		CU_ASSERT_EQUAL(read_of(&arena, &images, wrong[i], keys, &err), -1);
		CU_ASSERT(err.code == EBADMSG && strstr(err.msg, "isn't a list of 3 descriptors"));
	}
	CU_ASSERT(!images_have_network(&images));
	CU_ASSERT_EQUAL(file_replace(images.folder, "netdev-7.img", "", 0, 0600, &err), 0);
	CU_ASSERT(images_have_network(&images));
	images_close(&images);
	CU_ASSERT_EQUAL(path_remove_tree(AT_FDCWD, folder, &err), 0);
}
