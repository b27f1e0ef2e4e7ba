// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci_test.c - config.json: version, root, mounts, names, hooks, annotations
#include "shared/sys.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

TEST(from_oci, the_least_there_is)
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(&arena, "{'ociVersion':'1.0.0','root':{'path':'rootfs'}}");
	CU_ASSERT_STRING_EQUAL(spec.id, "id");
	CU_ASSERT_STRING_EQUAL(spec.bundle, "/b");
	CU_ASSERT_STRING_EQUAL(spec.oci_version, "1.0.0");
	CU_ASSERT_STRING_EQUAL(spec.root.path, "/b/rootfs");
	CU_ASSERT_TRUE(spec.detach && spec.cgroup && spec.process.interactive);
	CU_ASSERT_FALSE(spec.root.readonly || spec.root.checked || spec.root.overlay || spec.etc_files || spec.remove);
	CU_ASSERT_FALSE(spec.userns_auto || spec.process.init);
	CU_ASSERT_EQUAL(spec.process.args.count, 0);
	CU_ASSERT_EQUAL(spec.process.seccomp, SPEC_SECCOMP_UNCONFINED);
	CU_ASSERT_EQUAL(spec.namespaces, 0);
	CU_ASSERT_PTR_NULL(spec.home_slot);
	CU_ASSERT_PTR_NULL(spec.hostname);
	CU_ASSERT_EQUAL(spec.mount_count + spec.join_count + spec.device_count + spec.annotation_count, 0);
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE("'process':null,'linux':null,'mounts':null,'hooks':null,")).process.args.count,
			0);
}

TEST(from_oci, unknown_properties_are_ignored) // GE-06, GE-07
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(
		&arena,
		SAMPLE("'windows':7,'solaris':[],'freebsd':'x','zos':{},'vm':{'kernel':{}},'new':null,'mounts':[{'new':1,"
		       "'destination':'/a','type':'tmpfs'}],'process':{'new':1,'commandLine':7,'user':{'username':1,'new':2},"
		       "'args':['a'],'cwd':'/','rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1,'new':1}]},'linux':{'new':{},"
		       "'resources':{'new':7,'memory':{'new':'x'}},'namespaces':[{'type':'pid','new':1}],"
		       "'intelRdt':{'enableCMT':7,'enableMBM':7}},"));
	CU_ASSERT_EQUAL(spec.mount_count, 1);
}

TEST(from_oci, versions) // GE-03, GE-04
{
	static const char *const good[] = { "1.0.0",   "1.0.0-rc1",       "1.0.2-dev", "1.3.0+dev",
					    "1.99.7",  "1.10.20-a.b-c.0", "1.0.0+001", "1.3.0-rc.1+build-5",
					    "1.0.0--", "1.0.0-0a.0",      "1.0.0+-" };
	static const char *const wrong[] = { "",       "1",          "1.0",       "1.0.0.0", "v1.0.0",    "1.0.0-",
					     "1.0.0+", "1.0.0-a..b", "1.0.0-01",  "01.0.0",  "1.00.0",    "1.0.0 ",
					     " 1.0.0", "1.0.0-a_b",  "1.0.0+a+b", "0.9.0",   "2.0.0-rc1", "10.0.0",
					     "1.x.0",  "one",        "1.0.0\\n",  "1..0",    "-1.0.0",    "1.0.0-a." };
	own_arena struct arena arena = { 0 };
	struct spec spec;
	struct err err;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		sample_spec(&arena, arena_printf(&arena, "{'ociVersion':'%s','root':{'path':'r'}}", good[i]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *text = arena_printf(&arena, "{'ociVersion':'%s','root':{'path':'r'}}", wrong[i]);
		CU_ASSERT_EQUAL(sample_read(&arena, text, &spec, &err), -1);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "ociVersion: "));
	}
}

TEST(from_oci, what_is_wrong_at_the_top)
{
	static const struct sample_wrong wrong[] = {
		{ "[]", "the configuration: [] is not an object" },
		{ "{'root':{'path':'r'}}", "ociVersion: is missing" },
		{ "{'ociVersion':1,'root':{'path':'r'}}", "ociVersion: 1 is not a string" },
		{ "{'ociVersion':'1.0','root':{'path':'r'}}", "ociVersion: \"1.0\" is no version such as 1.3.0" },
		{ "{'ociVersion':'2.0.0','root':{'path':'r'}}", "ociVersion: \"2.0.0\" is not supported: COSO knows 1.x" },
		{ "{'ociVersion':'1.0.0'}", "root: is missing" },
		{ "{'ociVersion':'1.0.0','root':null}", "root: is missing" },
		{ "{'ociVersion':'1.0.0','root':'r'}", "root: \"r\" is not an object" },
		{ "{'ociVersion':'1.0.0','root':{}}", "root.path: is missing" },
		{ "{'ociVersion':'1.0.0','root':{'path':''}}", "root.path: \"\" is empty" },
		{ "{'ociVersion':'1.0.0','root':{'path':7}}", "root.path: 7 is not a string" },
		{ "{'ociVersion':'1.0.0','root':{'path':'r','readonly':'yes'}}",
		  "root.readonly: \"yes\" is neither true nor false" },
		{ SAMPLE("'linux':[],"), "linux: [] is not an object" },
		{ SAMPLE("'process':7,"), "process: 7 is not an object" },
		{ SAMPLE("'mounts':{},"), "mounts: {} is not an array" },
		{ SAMPLE("'hooks':[],"), "hooks: [] is not an object" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci, the_root)
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(&arena, "{'ociVersion':'1.0.0','root':{'path':'/abs/root','readonly':true}}");
	CU_ASSERT_STRING_EQUAL(spec.root.path, "/abs/root");
	CU_ASSERT_TRUE(spec.root.readonly);
}

TEST(from_oci, mounts_in_their_order) // MO-01, MO-02, MO-04
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(
		&arena, SAMPLE("'mounts':[{'destination':'/proc','type':'proc','source':'proc'},"
			       "{'destination':'rel/ative','type':'tmpfs','options':['size=1m','nosuid','mode=755']},"
			       "{'destination':'/data','type':'none','source':'in/bundle','options':['ro','rbind','rro']},"
			       "{'destination':'/x','type':'bind','source':'/abs'},"
			       "{'destination':'/sys/fs/cgroup','type':'cgroup','options':[]},"
			       "{'destination':'/','options':['remount','ro','size=2m']}],"));
	CU_ASSERT_EQUAL_FATAL(spec.mount_count, 6);
	const struct spec_mount *m = spec.mounts;
	CU_ASSERT_TRUE(strcmp(m[0].type, "proc") == 0 && strcmp(m[0].source, "proc") == 0 && !m[0].data && !m[0].attr_set);
	CU_ASSERT_TRUE(strcmp(m[1].destination, "/rel/ative") == 0 && !m[1].source && m[1].attr_set == MOUNT_ATTR_NOSUID);
	CU_ASSERT_STRING_EQUAL(m[1].data, "size=1m,mode=755");
	CU_ASSERT_TRUE(strcmp(m[2].type, "bind") == 0 && m[2].recursive);
	CU_ASSERT_STRING_EQUAL(m[2].source, "/b/in/bundle");
	CU_ASSERT_TRUE(m[2].attr_set == MOUNT_ATTR_RDONLY && m[2].deep_set == MOUNT_ATTR_RDONLY);
	CU_ASSERT_TRUE(strcmp(m[3].type, "bind") == 0 && strcmp(m[3].source, "/abs") == 0 && !m[3].recursive);
	CU_ASSERT_STRING_EQUAL(m[4].type, "cgroup");
	CU_ASSERT_TRUE(m[5].remount && !m[5].type && strcmp(m[5].data, "size=2m") == 0);
	CU_ASSERT_FALSE(m[0].optional || m[1].optional);
}

#define MOUNT(parts) SAMPLE("'mounts':[{'destination':'/a','type':'tmpfs'},{" parts "}],")
#define MAP "[{'containerID':0,'hostID':1000,'size':10}]"

TEST(from_oci, mounts_with_id_maps) // MO-14 to MO-17
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(
		&arena, SAMPLE("'mounts':[{'destination':'/a','source':'/s','options':['bind'],'uidMappings':" MAP
			       ",'gidMappings':" MAP "},{'destination':'/b','source':'/s','options':['rbind','ridmap'],"
			       "'uidMappings':" MAP ",'gidMappings':" MAP
			       "},{'destination':'/c','source':'/s','options':['bind','idmap']}],"
			       "'linux':{'namespaces':[{'type':'user'}],'uidMappings':" MAP ",'gidMappings':" MAP "},"));
	CU_ASSERT_EQUAL_FATAL(spec.mount_count, 3);
	CU_ASSERT_EQUAL(spec.mounts[0].idmap, SPEC_IDMAP_MOUNT);
	CU_ASSERT_EQUAL(spec.mounts[0].uid_maps.items[0].host, 1000);
	CU_ASSERT_EQUAL(spec.mounts[1].idmap, SPEC_IDMAP_TREE);
	CU_ASSERT_EQUAL(spec.mounts[1].gid_maps.count, 1);
	CU_ASSERT_EQUAL(spec.mounts[2].idmap, SPEC_IDMAP_MOUNT);
	CU_ASSERT_EQUAL(spec.mounts[2].uid_maps.count, 0);
	static const struct sample_wrong wrong[] = {
		{ MOUNT("'destination':'/x','source':'/s','options':['bind','idmap']"),
		  "mounts[1]: is to be id-mapped, but has no mappings, and the container has no user namespace" },
		{ MOUNT("'destination':'/x','source':'/s','options':['bind'],'uidMappings':" MAP),
		  "mounts[1]: has to have both uidMappings and gidMappings, or neither" },
		{ MOUNT("'destination':'/x','source':'/s','options':['bind'],'uidMappings':7"),
		  "mounts[1].uidMappings: 7 is not an array" },
		{ MOUNT("'destination':'/x','source':'/s','options':['bind'],'uidMappings':[{'containerID':0}]"),
		  "mounts[1].uidMappings[0].hostID: is missing" },
		{ MOUNT("'destination':'/x','source':'/s','options':['bind','idmap=uids=1']"),
		  "mounts[1].options[1]: option 'idmap=uids=1': '1' is no map" },
	};
	SAMPLE_REFUSED(wrong);
	// Whose user namespace is joined has maps that are not known here.
	spec = sample_spec(&arena, SAMPLE("'mounts':[{'destination':'/c','source':'/s','options':['bind','idmap']}],"
					  "'linux':{'namespaces':[{'type':'user','path':'/proc/1/ns/user'}]},"));
	CU_ASSERT_EQUAL(spec.mounts[0].idmap, SPEC_IDMAP_MOUNT);
}

TEST(from_oci, mounts_that_are_wrong)
{
	static const struct sample_wrong wrong[] = {
		{ SAMPLE("'mounts':[7],"), "mounts[0]: 7 is not an object" },
		{ MOUNT("'type':'tmpfs'"), "mounts[1].destination: is missing" },
		{ MOUNT("'destination':'','type':'tmpfs'"), "mounts[1].destination: \"\" is empty" },
		{ MOUNT("'destination':7,'type':'tmpfs'"), "mounts[1].destination: 7 is not a string" },
		{ MOUNT("'destination':'/x'"), "mounts[1].type: is missing" },
		{ MOUNT("'destination':'/x','type':7"), "mounts[1].type: 7 is not a string" },
		{ MOUNT("'destination':'/x','type':'bind'"), "mounts[1].source: is missing: a bind mount needs it" },
		{ MOUNT("'destination':'/x','source':{},'options':['bind']"), "mounts[1].source: {} is not a string" },
		{ MOUNT("'destination':'/x','type':'tmpfs','options':'ro'"), "mounts[1].options: \"ro\" is not an array" },
		{ MOUNT("'destination':'/x','type':'tmpfs','options':['ro',7]"), "mounts[1].options[1]: 7 is not a string" },
		{ MOUNT("'destination':'/x','source':'/s','type':'bind','options':['tmpcopyup']"),
		  "mounts[1].options[0]: option 'tmpcopyup'" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci, names) // HN-01, HN-02
{
	own_arena struct arena arena = { 0 };
	struct spec spec =
		sample_spec(&arena, SAMPLE("'hostname':'box','domainname':'example',"
					   "'linux':{'namespaces':[{'type':'uts'}],'sysctl':{'kernel.domainname':'example'}},"));
	CU_ASSERT_STRING_EQUAL(spec.hostname, "box");
	CU_ASSERT_STRING_EQUAL(spec.domainname, "example");
	spec = sample_spec(&arena, SAMPLE("'hostname':'box','linux':{'namespaces':[{'type':'uts','path':'/proc/1/ns/uts'}]},"));
	CU_ASSERT_STRING_EQUAL(spec.hostname, "box");
	CU_ASSERT_PTR_NULL(sample_spec(&arena, SAMPLE("'hostname':'',")).hostname);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE("'hostname':'box',"), "hostname: \"box\" needs a UTS namespace" },
		{ SAMPLE("'domainname':'box',"), "domainname: \"box\" needs a UTS namespace" },
		{ SAMPLE("'hostname':7,"), "hostname: 7 is not a string" },
		{ SAMPLE("'domainname':[],"), "domainname: [] is not a string" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'uts'}]},'hostname':"
			       "'01234567890123456789012345678901234567890123456789012345678901234','x':{"),
		  "is longer than 64 bytes" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'uts'}]},'domainname':"
			       "'01234567890123456789012345678901234567890123456789012345678901234','x':{"),
		  "is longer than 64 bytes" },
		{ SAMPLE("'domainname':'a','linux':{'namespaces':[{'type':'uts'}],'sysctl':{'kernel.domainname':'b'}},"),
		  "domainname: \"a\" and the sysctl kernel.domainname differ" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci, hooks) // HK-01 to HK-11
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(
		&arena,
		SAMPLE("'hooks':{'prestart':[{'path':'/a','args':['a0','a1'],'env':['K=V'],'timeout':5}],'createRuntime':[{'path':'/b'}],"
		       "'createContainer':[{'path':'/c','env':[]}],'startContainer':[{'path':'/d','args':[],'env':null}],"
		       "'poststart':[{'path':'/e'}],'poststop':[{'path':'/f'},{'path':'/g'}],'tomorrow':7},"));
	static const char *const firsts[SPEC_HOOK_KINDS] = { "/a", "/b", "/c", "/d", "/e", "/f" };
	for (size_t i = 0; i < SPEC_HOOK_KINDS; i++) {
		CU_ASSERT_EQUAL_FATAL(spec.hooks[i].count, i == SPEC_HOOK_POSTSTOP ? 2 : 1);
		CU_ASSERT_STRING_EQUAL(spec.hooks[i].items[0].path, firsts[i]);
	}
	const struct spec_hook *hook = &spec.hooks[SPEC_HOOK_PRESTART].items[0];
	CU_ASSERT_TRUE(hook->args.count == 2 && strcmp(hook->args.items[0], "a0") == 0);
	CU_ASSERT_TRUE(hook->env_given && hook->env.count == 1 && hook->timeout_s == 5);
	hook = &spec.hooks[SPEC_HOOK_CREATE_RUNTIME].items[0];
	CU_ASSERT_TRUE(!hook->args.count && !hook->env_given && !hook->timeout_s);
	CU_ASSERT_TRUE(spec.hooks[SPEC_HOOK_CREATE_CONTAINER].items[0].env_given); // and empty
	CU_ASSERT_FALSE(spec.hooks[SPEC_HOOK_START_CONTAINER].items[0].env_given);
	CU_ASSERT_STRING_EQUAL(spec.hooks[SPEC_HOOK_POSTSTOP].items[1].path, "/g");
}

#define HOOK(parts) SAMPLE("'hooks':{'poststart':[{" parts "}]},")

TEST(from_oci, hooks_that_are_wrong)
{
	static const struct sample_wrong wrong[] = {
		{ SAMPLE("'hooks':{'poststop':{}},"), "hooks.poststop: {} is not an array" },
		{ SAMPLE("'hooks':{'prestart':['/a']},"), "hooks.prestart[0]: \"/a\" is not an object" },
		{ HOOK("'args':['a']"), "hooks.poststart[0].path: is missing" },
		{ HOOK("'path':'a'"), "hooks.poststart[0].path: \"a\" is not an absolute path" },
		{ HOOK("'path':''"), "hooks.poststart[0].path: \"\" is not an absolute path" },
		{ HOOK("'path':7"), "hooks.poststart[0].path: 7 is not a string" },
		{ HOOK("'path':'/a','args':'a'"), "hooks.poststart[0].args: \"a\" is not an array" },
		{ HOOK("'path':'/a','args':[7]"), "hooks.poststart[0].args[0]: 7 is not a string" },
		{ HOOK("'path':'/a','env':{}"), "hooks.poststart[0].env: {} is not an array" },
		{ HOOK("'path':'/a','timeout':0"), "hooks.poststart[0].timeout: 0 is not from 1 to" },
		{ HOOK("'path':'/a','timeout':-1"), "hooks.poststart[0].timeout: -1 is not from 1 to" },
		{ HOOK("'path':'/a','timeout':'5'"), "hooks.poststart[0].timeout: \"5\" is not a whole number" },
		{ HOOK("'path':'/a','timeout':1.5"), "hooks.poststart[0].timeout: 1.5 is not a whole number" },
		{ HOOK("'path':'/a','timeout':3000000000"), "hooks.poststart[0].timeout: 3000000000 is not from 1 to" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci, annotations) // AN-01 to AN-03
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(&arena, SAMPLE("'annotations':{'com.example.key':'value','empty':'','x':'y'},"));
	CU_ASSERT_EQUAL_FATAL(spec.annotation_count, 3);
	CU_ASSERT_STRING_EQUAL(spec.annotations[0].key, "com.example.key");
	CU_ASSERT_STRING_EQUAL(spec.annotations[0].value, "value");
	CU_ASSERT_STRING_EQUAL(spec.annotations[1].value, "");
	CU_ASSERT_FALSE(spec.process.keep_groups);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE("'annotations':[],"), "annotations: [] is not an object" },
		{ SAMPLE("'annotations':{'com.example':7},"), "annotations[\"com.example\"]: 7 is not a string" },
		{ SAMPLE("'annotations':{'a':null},"), "annotations.a: null is not a string" },
		{ SAMPLE("'annotations':{'':'x'},"), "annotations[\"\"]: \"x\" has an empty key" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci, groups_that_are_kept)
{
	own_arena struct arena arena = { 0 };
	const char *text = SAMPLE("'annotations':{'run.oci.keep_original_groups':'1'},'process':{'args':['a'],'cwd':'/'},");
	CU_ASSERT_TRUE(sample_spec(&arena, text).process.keep_groups);
	CU_ASSERT_FALSE(sample_spec(&arena, SAMPLE("'annotations':{'run.oci.keep_original_groups':'0'},")).process.keep_groups);
}
