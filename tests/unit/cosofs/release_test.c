// SPDX-License-Identifier: GPL-2.0-or-later
// release_test.c - the release file, digests, file URLs and ELF headers
#include "cosofs/release.h"

#include "cosofs/digest.h"
#include "cosofs/elf.h"
#include "cosofs/embed.h"
#include "cosofs/source.h"
#include "shared/fd.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SUM "d4e6fd67dcf75e40c451560ac7265166c2b72a0f38ddc9aae756a7de3d1efa0c"

static int parse(const char *text, struct release *out, struct err *err)
{
	static struct arena arena;
	return release_parse(&arena, text, "m68k", out, err);
}

TEST(release, finds_the_machine)
{
	struct release r = { 0 };
	struct err err = { 0 };
	const char *text =
		"# comment\n\nvax 1 " SUM " http://h/vax\n  m68k\t2.0  " SUM " https://h/x # more\r\nm68k 3 " SUM " http://h/late";
	CU_ASSERT_EQUAL(parse(text, &r, &err), 0);
	CU_ASSERT(str_eq(r.version, "2.0") && str_eq(r.url, "https://h/x") && str_eq(r.sha256, SUM));
	CU_ASSERT_EQUAL(parse("vax 1 " SUM " http://h/vax\n", &r, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_EQUAL(parse("", &r, &err), -1);
}

TEST(release, wrong_lines)
{
	static const char *const cases[] = { "m68k", "m68k 1 " SUM, "m68k 1 " SUM " path", "m68k 1 abc http://h/",
					     "m68k 1 " SUM " http://h/ x" };
	struct release r = { .url = "untouched" };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { 0 };
		CU_ASSERT_EQUAL(parse(cases[i], &r, &err), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "line 1"));
		CU_ASSERT_STRING_EQUAL(r.url, "untouched");
	}
}

TEST(release, built_in_text_has_both_machines)
{
	struct arena arena = { 0 };
	struct release r;
	CU_ASSERT_EQUAL(release_parse(&arena, embed_alpine, "x86_64", &r, NULL), 0);
	CU_ASSERT(str_starts(r.url, "https://"));
	CU_ASSERT_EQUAL(release_parse(&arena, embed_alpine, "aarch64", &r, NULL), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(r.url, "aarch64"));
	CU_ASSERT_PTR_NOT_NULL(strstr(embed_builtin, "file 0644 etc/passwd"));
	arena_free(&arena);
}

TEST(digest, of_a_file)
{
	char hex[DIGEST_HEX + 1];
	own_fd int fd = memfd_create("digest", MFD_CLOEXEC);
	CU_ASSERT_EQUAL(digest_file(fd, hex, NULL), 0);
	CU_ASSERT_STRING_EQUAL(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CU_ASSERT_EQUAL(fd_write_full(fd, "abc", 3), 0);
	CU_ASSERT_EQUAL(digest_file(fd, hex, NULL), 0); // from its start, wherever it stands
	CU_ASSERT_STRING_EQUAL(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(source, urls)
{
	struct arena arena = { 0 };
	CU_ASSERT(source_is_url("http://h/") && source_is_url("file:///x"));
	CU_ASSERT(!source_is_url("/a://b") && !source_is_url("://b") && !source_is_url("a:b") && !source_is_url(""));
	CU_ASSERT_STRING_EQUAL(source_file_url(&arena, "file:///a%20b%2Fc"), "/a b/c");
	CU_ASSERT_STRING_EQUAL(source_file_url(&arena, "file:///100%"), "/100%");
	CU_ASSERT_STRING_EQUAL(source_file_url(&arena, "file:///%zz%4"), "/%zz%4");
	CU_ASSERT_STRING_EQUAL(source_file_url(&arena, "file:///a%00b"), "/a%00b");
	arena_free(&arena);
}

TEST(elf, reads_itself_and_refuses_others)
{
	struct elf elf = { 0 };
	own_fd int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	own_fd int fake = memfd_create("elf", MFD_CLOEXEC);
	unsigned char head[64];
	CU_ASSERT(elf_read(self, &elf));
	CU_ASSERT(elf.loader);
	CU_ASSERT_EQUAL(pread(self, head, sizeof(head), 0), (ssize_t)sizeof(head));
	CU_ASSERT(!elf_read(fake, &elf)); // empty
	CU_ASSERT_EQUAL(pwrite(fake, head, 20, 0), 20);
	CU_ASSERT(!elf_read(fake, &elf)); // cut in its header
	CU_ASSERT_EQUAL(pwrite(fake, head, sizeof(head), 0), (ssize_t)sizeof(head));
	CU_ASSERT(!elf_read(fake, &elf)); // its program headers are missing
	head[0] = 'x';
	CU_ASSERT_EQUAL(pwrite(fake, head, sizeof(head), 0), (ssize_t)sizeof(head));
	CU_ASSERT(!elf_read(fake, &elf));
}
