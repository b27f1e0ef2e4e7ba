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

// What words, separated by commas, make of a mount of a type. False: refused.
static bool apply(struct arena *arena, const char *type, const char *words, struct spec_mount *out)
{
	static struct spec_idmap ids[] = { { 0, 100000, 1 }, { 1, 200000, 1000 } };
	struct spec spec = { .arena = arena, .uid_maps = { ids, 2 }, .gid_maps = { ids, 2 } };
	struct strv list = str_split(arena, words, ',');
	struct err err = { 0 };
	*out = (struct spec_mount){ .type = type };
	for (size_t i = 0; i < list.count; i++) {
		if (mountopt_apply(&spec, out, list.items[i], &err) == 0)
			continue;
		CU_ASSERT_NOT_EQUAL(err.msg[0], '\0');
		return false;
	}
	return true;
}

TEST(mountopt, attributes)
{
	static const struct {
		const char *words;
		uint64_t set, clear;
	} rows[] = {
		{ "defaults,,silent,loud,iversion,noiversion,norelatime", 0, 0 },
		{ "ro,nosuid,nodev,noexec,nodiratime,nosymfollow",
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME |
			  MOUNT_ATTR_NOSYMFOLLOW,
		  0 },
		{ "rw,suid,dev,exec,diratime,symfollow", 0,
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODIRATIME |
			  MOUNT_ATTR_NOSYMFOLLOW },
		{ "ro,rw", 0, MOUNT_ATTR_RDONLY },
		{ "rw,ro", MOUNT_ATTR_RDONLY, 0 },
		{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR_RELATIME | 0x60 },
		{ "strictatime,noatime", MOUNT_ATTR_NOATIME, 0x60 },
		{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME, 0x50 },
		{ "noatime,nostrictatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
		{ "strictatime,nostrictatime", 0, MOUNT_ATTR__ATIME },
		{ "noatime,atime", 0, MOUNT_ATTR__ATIME },
		{ "strictatime,atime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
		{ "noatime,relatime", 0, MOUNT_ATTR__ATIME },
		{ "noatime,norelatime", MOUNT_ATTR_NOATIME, 0x60 },
	};
	own_arena struct arena arena = { 0 };
	struct spec_mount m;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT_TRUE_FATAL(apply(&arena, "bind", rows[i].words, &m));
		if (m.attr_set != rows[i].set || (m.attr_clear | m.attr_set) != (rows[i].clear | rows[i].set))
			CU_FAIL(rows[i].words);
		CU_ASSERT_PTR_NULL(m.data);
	}
}

TEST(mountopt, attributes_of_what_is_below)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m;
	CU_ASSERT_TRUE(apply(&arena, "bind", "rro,rnosuid,rnodev,rnoexec,rnodiratime,rnosymfollow,rnoatime", &m));
	CU_ASSERT_EQUAL(m.deep_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					    MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NOATIME);
	CU_ASSERT_EQUAL(m.attr_set | m.attr_clear, 0);
	CU_ASSERT_TRUE(apply(&arena, "bind", "rrw,rsuid,rdev,rexec,rdiratime,rsymfollow,rrelatime,rnorelatime,ratime", &m));
	CU_ASSERT_EQUAL(m.deep_set, 0);
	CU_ASSERT_EQUAL(m.deep_clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					      MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR__ATIME);
	CU_ASSERT_TRUE(apply(&arena, "bind", "rstrictatime,rnostrictatime", &m));
	CU_ASSERT_EQUAL(m.deep_set, 0);
	CU_ASSERT_FALSE(apply(&arena, "bind", "rreadonly", &m)); // `readonly` is Docker's word, and has no such form
	CU_ASSERT_FALSE(apply(&arena, "bind", "rdefaults", &m));
}

TEST(mountopt, words_of_the_file_system)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m;
	CU_ASSERT_TRUE(apply(&arena, "tmpfs", "sync,async,dirsync,size=1m,lazytime,nolazytime,mand,nomand,ro,silent", &m));
	CU_ASSERT_STRING_EQUAL(m.data, "sync,async,dirsync,size=1m,lazytime,nolazytime,mand,nomand");
	CU_ASSERT_EQUAL(m.attr_set, MOUNT_ATTR_RDONLY);
	CU_ASSERT_TRUE(apply(&arena, "bind", "sync,async,dirsync,lazytime,nolazytime,mand,nomand", &m)); // nothing to them there
	CU_ASSERT_PTR_NULL(m.data);
	CU_ASSERT_FALSE(apply(&arena, "bind", "size=1m", &m));
}

TEST(mountopt, words_that_are_switches)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m;
	CU_ASSERT_TRUE(apply(&arena, "tmpfs", "tmpcopyup,private", &m));
	CU_ASSERT_TRUE(m.copy_up && !m.remount && !m.copy_symlink && !m.source_nofollow && !m.target_nofollow);
	CU_ASSERT_EQUAL(m.propagation, MS_PRIVATE);
	CU_ASSERT_FALSE(apply(&arena, "bind", "tmpcopyup", &m));
	CU_ASSERT_FALSE(apply(&arena, NULL, "tmpcopyup", &m));
	CU_ASSERT_TRUE(apply(&arena, NULL, "remount", &m) && m.remount);
	CU_ASSERT_TRUE(apply(&arena, "bind", "copy-symlink", &m) && m.copy_symlink);
	CU_ASSERT_TRUE(apply(&arena, "bind", "src-nofollow", &m) && m.source_nofollow);
	CU_ASSERT_TRUE(apply(&arena, "bind", "dest-nofollow", &m) && m.target_nofollow);
}

TEST(mountopt, id_maps)
{
	own_arena struct arena arena = { 0 };
	struct spec_mount m;
	CU_ASSERT_TRUE(apply(&arena, "bind", "idmap", &m));
	CU_ASSERT_EQUAL(m.idmap, SPEC_IDMAP_MOUNT);
	CU_ASSERT_EQUAL(m.uid_maps.count + m.gid_maps.count, 0);
	CU_ASSERT_TRUE(apply(&arena, "bind", "ridmap", &m));
	CU_ASSERT_EQUAL(m.idmap, SPEC_IDMAP_TREE);
	CU_ASSERT_TRUE(apply(&arena, "bind", "ridmap=uids=0-1-10#10-11-20;gids=0-100-10", &m));
	CU_ASSERT_EQUAL_FATAL(m.uid_maps.count, 2);
	CU_ASSERT_EQUAL_FATAL(m.gid_maps.count, 1);
	CU_ASSERT_TRUE(m.uid_maps.items[1].container == 10 && m.uid_maps.items[1].host == 11 && m.uid_maps.items[1].size == 20);
	CU_ASSERT_TRUE(m.gid_maps.items[0].container == 0 && m.gid_maps.items[0].host == 100 && m.gid_maps.items[0].size == 10);
	CU_ASSERT_TRUE(apply(&arena, "bind", "idmap=gids=@1-0-1;uids=@1-3-10", &m));
	CU_ASSERT_EQUAL(m.uid_maps.items[0].host, 200002);
	CU_ASSERT_EQUAL(m.gid_maps.items[0].host, 100000);
	static const char *const wrong[] = {
		"idmap=",
		"idmap=uids=0-1-1",
		"idmap=uids=0-1-1;gids=",
		"idmap=uids=0-1-1;gids=0-1",
		"idmap=uids=0-1-0;gids=0-1-1",
		"idmap=uids=0-1-x;gids=0-1-1",
		"idmap=uids=0-1-4294967295;gids=0-1-1",
		"idmap=uids=0-1-1;gids=@0-1001-1",
		"idmap=uids=0-1-1;pids=0-1-1",
		"idmaps",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (apply(&arena, "bind", wrong[i], &m))
			CU_FAIL(wrong[i]);
	}
}

// config.md "Linux mount options"; what comes after ridmap is Podman's, Docker's, and the rest of the r-forms.
TEST(mountopt, every_word_of_the_specification_is_known)
{
	static const char all[] =
		"async,atime,bind,defaults,dev,diratime,dirsync,exec,iversion,lazytime,loud,mand,noatime,nodev,nodiratime,noexec,"
		"noiversion,nolazytime,nomand,norelatime,nostrictatime,nosuid,nosymfollow,private,ratime,rbind,rdev,rdiratime,"
		"relatime,remount,rexec,rnoatime,rnodiratime,rnoexec,rnorelatime,rnostrictatime,rnosuid,rnosymfollow,ro,rprivate,"
		"rrelatime,rro,rrw,rshared,rslave,rstrictatime,rsuid,rsymfollow,runbindable,rw,shared,silent,slave,strictatime,"
		"suid,symfollow,sync,tmpcopyup,unbindable,idmap,ridmap,copy-symlink,src-nofollow,dest-nofollow,readonly,rnodev";
	own_arena struct arena arena = { 0 };
	struct strv words = str_split(&arena, all, ','), names = mountopt_names(&arena);
	struct spec_mount m;
	CU_ASSERT_EQUAL(names.count, words.count);
	for (size_t i = 0; i < words.count; i++) {
		bool found = false;
		for (size_t n = 0; n < names.count; n++)
			found = found || str_eq(names.items[n], words.items[i]);
		if (!found)
			CU_FAIL(words.items[i]);
	}
	for (size_t n = 0; n < names.count; n++) {
		CU_ASSERT_TRUE(n == 0 || strcmp(names.items[n - 1], names.items[n]) < 0);
		if (!apply(&arena, str_eq(names.items[n], "tmpcopyup") ? "tmpfs" : "bind", names.items[n], &m))
			CU_FAIL(names.items[n]);
	}
}
