// SPDX-License-Identifier: GPL-2.0-or-later
// mountopt_test.c - mounts as people write them
#include "coso/spec/mountopt.h"
#include "shared/sys.h"
#include "tests/unit/unit.h"

#include <string.h>

typedef int reader(struct spec *spec, const char *text, struct err *err);

// The mount that `text` means; type NULL: refused.
static struct spec_mount read_mount(struct arena *arena, reader *read, const char *text)
{
	struct spec spec = { .arena = arena };
	struct err err = { 0 };
	if (read(&spec, text, &err) < 0) {
		CU_ASSERT_EQUAL(spec.mount_count, 0);
		CU_ASSERT_NOT_EQUAL(err.msg[0], '\0');
		return (struct spec_mount){ 0 };
	}
	CU_ASSERT_EQUAL(spec.mount_count, 1);
	return spec.mounts[0];
}

TEST(mountopt, volumes)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m = read_mount(&arena, mountopt_volume, "/usr/../etc:/data");
	CU_ASSERT_STRING_EQUAL_FATAL(m.type, "bind");
	CU_ASSERT_STRING_EQUAL(m.source, "/etc");
	CU_ASSERT_STRING_EQUAL(m.destination, "/data");
	CU_ASSERT_TRUE(m.recursive);
	CU_ASSERT_EQUAL(m.attr_set | m.attr_clear, 0);
	m = read_mount(&arena, mountopt_volume, "/etc:/data:ro,noexec,nosuid,rshared");
	CU_ASSERT_EQUAL(m.attr_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
	CU_ASSERT_EQUAL(m.propagation, MS_SHARED | MS_REC);
	CU_ASSERT_EQUAL(m.deep_set, m.attr_set);
	m = read_mount(&arena, mountopt_volume, "/etc:/data:ro,rw"); // the last word counts
	CU_ASSERT_EQUAL(m.attr_set, 0);
	CU_ASSERT_EQUAL(m.attr_clear, MOUNT_ATTR_RDONLY);
	m = read_mount(&arena, mountopt_volume, "/etc:/data:rro");
	CU_ASSERT_EQUAL(m.deep_set, MOUNT_ATTR_RDONLY);
	m = read_mount(&arena, mountopt_volume, "/etc:/data:bind");
	CU_ASSERT_FALSE(m.recursive);
}

TEST(mountopt, mounts)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m = read_mount(&arena, mountopt_mount, "ro,dst=/x,source=/etc,type=bind");
	CU_ASSERT_STRING_EQUAL_FATAL(m.type, "bind");
	CU_ASSERT_EQUAL(m.attr_set, MOUNT_ATTR_RDONLY);
	m = read_mount(&arena, mountopt_mount, "type=bind,src=/etc,target=/x,readonly=false");
	CU_ASSERT_EQUAL(m.attr_clear, MOUNT_ATTR_RDONLY);
	m = read_mount(&arena, mountopt_mount, "type=tmpfs,dst=/x,tmpfs-size=5m,tmpfs-mode=700,noexec,huge=never");
	CU_ASSERT_STRING_EQUAL(m.data, "size=5m,mode=700,huge=never");
	CU_ASSERT_EQUAL(m.attr_set, MOUNT_ATTR_NOEXEC);
	CU_ASSERT_PTR_NULL(m.source);
	m = read_mount(&arena, mountopt_mount, "type=overlay,dst=/x,lowerdir=/a:/b");
	CU_ASSERT_STRING_EQUAL(m.data, "lowerdir=/a:/b");
	CU_ASSERT_FALSE(m.recursive);
}

TEST(mountopt, tmpfs_of_its_own)
{
	own_arena struct arena arena = { 0 };
	const uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	struct spec_mount m = read_mount(&arena, mountopt_tmpfs, "/x");
	CU_ASSERT_EQUAL(m.attr_set, quiet);
	CU_ASSERT_STRING_EQUAL(m.destination, "/x");
	m = read_mount(&arena, mountopt_tmpfs, "/x:exec,size=1m");
	CU_ASSERT_EQUAL(m.attr_set, quiet & ~(uint64_t)MOUNT_ATTR_NOEXEC);
	CU_ASSERT_STRING_EQUAL(m.data, "size=1m");
}

TEST(mountopt, refusals)
{
	static const struct {
		reader *read;
		const char *text;
	} wrong[] = {
		{ mountopt_volume, "" },
		{ mountopt_volume, "/etc" },
		{ mountopt_volume, ":/x" },
		{ mountopt_volume, "/etc:" },
		{ mountopt_volume, "/etc:x" },
		{ mountopt_volume, "/etc:/" },
		{ mountopt_volume, "/etc:/./.." },
		{ mountopt_volume, "/etc:/x:nope" },
		{ mountopt_volume, "/etc:/x:ro:rw" },
		{ mountopt_volume, "/no/such/folder:/x" },
		{ mountopt_mount, "" },
		{ mountopt_mount, "dst=/x" },
		{ mountopt_mount, "type=,dst=/x" },
		{ mountopt_mount, "type=bind,dst=/x" },
		{ mountopt_mount, "type=bind,src=,dst=/x" },
		{ mountopt_mount, "type=bind,src=/etc,dst=/x,size=1" },
		{ mountopt_mount, "type=tmpfs" },
		{ mountopt_mount, "type=tmpfs,dst=x" },
		{ mountopt_tmpfs, "" },
		{ mountopt_tmpfs, "x" },
		{ mountopt_tmpfs, "/" },
		{ mountopt_tmpfs, ":size=1" },
	};
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (read_mount(&arena, wrong[i].read, wrong[i].text).type)
			CU_FAIL(wrong[i].text);
	}
}
