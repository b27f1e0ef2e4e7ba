// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci_linux_test.c - config.json: namespaces, maps, settings, paths, seccomp, tuning
#include "shared/sys.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

TEST(from_oci_linux, namespaces) // NS-01 to NS-14
{
	own_arena struct arena arena = { 0 };
	struct spec spec =
		sample_spec(&arena, SAMPLE_LINUX("'namespaces':[{'type':'pid'},{'type':'network','path':'/run/netns/a'},"
						 "{'type':'mount','path':''},{'type':'ipc','path':null},{'type':'uts'},"
						 "{'type':'cgroup'},{'type':'time'},{'type':'user','path':'/proc/1/ns/user'}],"));
	CU_ASSERT_EQUAL(spec.namespaces,
			CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_NEWTIME);
	CU_ASSERT_EQUAL_FATAL(spec.join_count, 2);
	CU_ASSERT_TRUE(spec.joins[0].flag == CLONE_NEWNET && strcmp(spec.joins[0].path, "/run/netns/a") == 0);
	CU_ASSERT_EQUAL(spec.joins[1].flag, CLONE_NEWUSER);
	CU_ASSERT_TRUE(oci_has(&spec, CLONE_NEWNET) && oci_has(&spec, CLONE_NEWPID));
	CU_ASSERT_FALSE(oci_has(&(struct spec){ .namespaces = CLONE_NEWPID }, CLONE_NEWNET));
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'namespaces':{},"), "linux.namespaces: {} is not an array" },
		{ SAMPLE_LINUX("'namespaces':['pid'],"), "linux.namespaces[0]: \"pid\" is not an object" },
		{ SAMPLE_LINUX("'namespaces':[{}],"), "linux.namespaces[0].type: is missing" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'net'}],"), "linux.namespaces[0].type: \"net\" is no kind of namespace" },
		{ SAMPLE_LINUX("'namespaces':[{'type':''}],"), "linux.namespaces[0].type: \"\" is no kind of namespace" },
		{ SAMPLE_LINUX("'namespaces':[{'type':7}],"), "linux.namespaces[0].type: 7 is not a string" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'pid','path':'proc/1'}],"),
		  "linux.namespaces[0].path: \"proc/1\" is not an absolute path" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'pid','path':7}],"), "linux.namespaces[0].path: 7 is not a string" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'pid'},{'type':'uts'},{'type':'pid'}],"),
		  "linux.namespaces[2].type: \"pid\" is there twice" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'pid','path':'/a'},{'type':'pid'}],"),
		  "linux.namespaces[1].type: \"pid\" is there twice" },
	};
	SAMPLE_REFUSED(wrong);
}

#define USER(parts) SAMPLE_LINUX("'namespaces':[{'type':'user'}]," parts)
#define ONE_MAP "[{'containerID':0,'hostID':1,'size':1}]"
#define UIDS(map) USER("'gidMappings':" ONE_MAP ",'uidMappings':" map ",")

TEST(from_oci_linux, id_maps) // NS-06, NS-16, NS-17, NS-20
{
	own_arena struct arena arena = { 0 };
	struct spec spec =
		sample_spec(&arena, UIDS("[{'containerID':1,'hostID':100000,'size':65535},{'containerID':0,'hostID':1000,'size':1},"
					 "{'containerID':4294967294,'hostID':4294967294,'size':1}]"));
	CU_ASSERT_EQUAL_FATAL(spec.uid_maps.count, 3);
	CU_ASSERT_TRUE(spec.uid_maps.items[0].container == 1 && spec.uid_maps.items[0].host == 100000 &&
		       spec.uid_maps.items[0].size == 65535);
	CU_ASSERT_EQUAL(spec.gid_maps.count, 1);
	spec = sample_spec(&arena,
			   SAMPLE_LINUX("'namespaces':[{'type':'user','path':'/proc/1/ns/user'}],'uidMappings':" ONE_MAP ","));
	CU_ASSERT_EQUAL(spec.uid_maps.count, 1);
	spec = sample_spec(&arena, USER(""));
	CU_ASSERT_TRUE(spec.uid_maps.count == 1 && spec.uid_maps.items[0].container == 0 && spec.uid_maps.items[0].size == 1);
	CU_ASSERT_EQUAL(spec.uid_maps.items[0].host, geteuid());
	CU_ASSERT_EQUAL(spec.gid_maps.items[0].host, getegid());
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'uidMappings':" ONE_MAP ","),
		  "linux.uidMappings: user namespace mappings specified, but user namespace isn't enabled" },
		{ SAMPLE_LINUX("'gidMappings':" ONE_MAP ","), "linux.gidMappings: user namespace mappings specified" },
		{ USER("'uidMappings':" ONE_MAP ","), "linux.gidMappings: has to map the container's id 0" },
		{ UIDS("[{'containerID':1,'hostID':0,'size':10}]"), "linux.uidMappings: has to map the container's id 0" },
		{ UIDS("{}"), "linux.uidMappings: {} is not an array" },
		{ UIDS("[7]"), "linux.uidMappings[0]: 7 is not an object" },
		{ UIDS("[{'hostID':0,'size':1}]"), "linux.uidMappings[0].containerID: is missing" },
		{ UIDS("[{'containerID':0,'size':1}]"), "linux.uidMappings[0].hostID: is missing" },
		{ UIDS("[{'containerID':0,'hostID':0}]"), "linux.uidMappings[0].size: is missing" },
		{ UIDS("[{'containerID':0,'hostID':0,'size':0}]"), "linux.uidMappings[0].size: 0 maps nothing" },
		{ UIDS("[{'containerID':0,'hostID':-1,'size':1}]"), "linux.uidMappings[0].hostID: -1 is not from 0" },
		{ UIDS("[{'containerID':0,'hostID':1,'size':4294967295}]"),
		  "linux.uidMappings[0].size: 4294967295 goes beyond the last id" },
		{ UIDS("[{'containerID':4294967295,'hostID':1,'size':1}]"),
		  "linux.uidMappings[0].size: 1 goes beyond the last id" },
		{ UIDS("[{'containerID':0,'hostID':0,'size':10},{'containerID':9,'hostID':100,'size':1}]"),
		  "linux.uidMappings[1]: overlaps with another map" },
		{ UIDS("[{'containerID':0,'hostID':5,'size':10},{'containerID':50,'hostID':0,'size':6}]"),
		  "linux.uidMappings[1]: overlaps with another map" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_linux, as_many_maps_as_the_kernel_takes) // NS-19
{
	own_arena struct arena arena = { 0 };
	struct spec spec;
	struct err err;
	const char *list = "{'containerID':0,'hostID':0,'size':1}";
	for (int i = 1; i < 340; i++)
		list = arena_printf(&arena, "%s,{'containerID':%d,'hostID':%d,'size':1}", list, i, i);
	CU_ASSERT_EQUAL(sample_spec(&arena, arena_printf(&arena, UIDS("[%s]"), list)).uid_maps.count, 340);
	list = arena_printf(&arena, "%s,{'containerID':340,'hostID':340,'size':1}", list);
	CU_ASSERT_EQUAL(sample_read(&arena, arena_printf(&arena, UIDS("[%s]"), list), &spec, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "linux.uidMappings: has more than 340 maps"));
}

#define TIME(parts) SAMPLE_LINUX("'namespaces':[{'type':'time'}],'timeOffsets':{" parts "},")

TEST(from_oci_linux, time_offsets) // NS-21
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(&arena, TIME("'monotonic':{'secs':-172800,'nanosecs':999999999},'boottime':{}"));
	CU_ASSERT_EQUAL_FATAL(spec.time_offset_count, 2);
	CU_ASSERT_STRING_EQUAL(spec.time_offsets[0].clock, "monotonic");
	CU_ASSERT_TRUE(spec.time_offsets[0].seconds == -172800 && spec.time_offsets[0].nanoseconds == 999999999);
	CU_ASSERT_STRING_EQUAL(spec.time_offsets[1].clock, "boottime");
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE_LINUX("'timeOffsets':{},")).time_offset_count, 0);
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE_LINUX("'timeOffsets':{'boottime':null},")).time_offset_count, 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'timeOffsets':{'boottime':{'secs':1}},"), "linux.timeOffsets: needs a new time namespace" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'time','path':'/t'}],'timeOffsets':{'boottime':{}},"),
		  "needs a new time namespace" },
		{ SAMPLE_LINUX("'timeOffsets':[],"), "linux.timeOffsets: [] is not an object" },
		{ TIME("'realtime':{'secs':1}"), "linux.timeOffsets.realtime: belongs to no clock" },
		{ TIME("'boottime':7"), "linux.timeOffsets.boottime: 7 is not an object" },
		{ TIME("'boottime':{'secs':'1'}"), "linux.timeOffsets.boottime.secs: \"1\" is not a whole number" },
		{ TIME("'boottime':{'nanosecs':1000000000}"),
		  "linux.timeOffsets.boottime.nanosecs: 1000000000 is not from 0 to 999999999" },
	};
	SAMPLE_REFUSED(wrong);
}

#define SYSCTL(parts) SAMPLE_LINUX(SAMPLE_NAMESPACES "'sysctl':{" parts "},")

TEST(from_oci_linux, settings_of_the_kernel) // LX-SYS-01
{
	static const char *const rows[][2] = {
		{ "net.ipv4.ip_forward", "net.ipv4.ip_forward=1" },
		{ "net/core/somaxconn", "net.core.somaxconn=1" },
		{ "net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding=1" },
		{ "net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding=1" },
		{ "fs.mqueue.msg_max", "fs.mqueue.msg_max=1" },
		{ "kernel.sem", "kernel.sem=1" },
		{ "kernel.shm_rmid_forced", "kernel.shm_rmid_forced=1" },
		{ "kernel/msgmax", "kernel.msgmax=1" },
		{ "kernel.msgmnb", "kernel.msgmnb=1" },
		{ "kernel.msgmni", "kernel.msgmni=1" },
		{ "kernel.shmall", "kernel.shmall=1" },
		{ "kernel.shmmax", "kernel.shmmax=1" },
		{ "kernel.shmmni", "kernel.shmmni=1" },
	};
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec spec = sample_spec(&arena, arena_printf(&arena, SYSCTL("'%s':'1'"), rows[i][0]));
		CU_ASSERT_EQUAL_FATAL(spec.sysctl.count, 1);
		CU_ASSERT_STRING_EQUAL(spec.sysctl.items[0], rows[i][1]);
	}
	struct spec spec = sample_spec(&arena, SYSCTL("'kernel.domainname':'d','net.b':'','net.a':'x y'"));
	CU_ASSERT_STRING_EQUAL(spec.domainname, "d"); // by setdomainname(2)
	CU_ASSERT_EQUAL_FATAL(spec.sysctl.count, 2);
	CU_ASSERT_STRING_EQUAL(spec.sysctl.items[0], "net.b=");
	CU_ASSERT_STRING_EQUAL(spec.sysctl.items[1], "net.a=x y");
}

TEST(from_oci_linux, settings_of_the_host) // LX-SYS-02
{
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'sysctl':[],"), "linux.sysctl: [] is not an object" },
		{ SYSCTL("'net.a':1"), "linux.sysctl[\"net.a\"]: 1 is not a string" },
		{ SYSCTL("'net.a':null"), "linux.sysctl[\"net.a\"]: null is not a string" },
		{ SAMPLE_LINUX("'sysctl':{'net.ipv4.ip_forward':'1'},"),
		  "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace" },
		{ SAMPLE_LINUX("'sysctl':{'kernel/shmmax':'1'},"), "sysctl \"kernel.shmmax\" not allowed in host IPC namespace" },
		{ SAMPLE_LINUX("'sysctl':{'kernel.domainname':'1'},"),
		  "sysctl \"kernel.domainname\" not allowed in host UTS namespace" },
		{ SAMPLE_LINUX("'namespaces':[{'type':'network','path':'/proc/self/ns/net'}],'sysctl':{'net.a':'1'},"),
		  "sysctl \"net.a\" not allowed in host network namespace" },
		{ SYSCTL("'kernel.hostname':'x'"),
		  "sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI \"hostname\" field" },
		{ SYSCTL("'kernel.core_pattern':'x'"), "sysctl \"kernel.core_pattern\" is not in a separate kernel namespace" },
		{ SYSCTL("'kernel.semx':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'vm.overcommit_memory':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net.':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net..a':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net/../kernel/core_pattern':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net.//.kernel':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net/./a':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'net.a=b':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'/net/a':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'':'x'"), "is not in a separate kernel namespace" },
		{ SYSCTL("'kernel.domainname':'01234567890123456789012345678901234567890123456789012345678901234'"),
		  "longer than 64 bytes" },
	};
	SAMPLE_REFUSED(wrong);
	own_arena struct arena arena = { 0 };
	CU_ASSERT_EQUAL(
		sample_spec(&arena, SAMPLE_LINUX("'namespaces':[{'type':'network','path':'/no/such'}],'sysctl':{'net.a':'1'},"))
			.sysctl.count,
		1);
}

TEST(from_oci_linux, paths) // LX-PRP-01, LX-MSK-01, LX-ROP-01, LX-LBL-01, CG-01
{
	static const struct {
		const char *word;
		unsigned long flags;
	} words[] = {
		{ "private", MS_PRIVATE },
		{ "rprivate", MS_PRIVATE | MS_REC },
		{ "shared", MS_SHARED },
		{ "rshared", MS_SHARED | MS_REC },
		{ "slave", MS_SLAVE },
		{ "rslave", MS_SLAVE | MS_REC },
		{ "unbindable", MS_UNBINDABLE },
		{ "runbindable", MS_UNBINDABLE | MS_REC },
		{ "", 0 },
	};
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CU_ASSERT_EQUAL(sample_spec(&arena, arena_printf(&arena, SAMPLE_LINUX("'rootfsPropagation':'%s',"), words[i].word))
					.root.propagation,
				words[i].flags);
	struct spec spec =
		sample_spec(&arena, SAMPLE("'linux':{" SAMPLE_NAMESPACES "'maskedPaths':['/a','/b'],'readonlyPaths':['/c'],"
					   "'mountLabel':'label','cgroupsPath':'a:b:c'},"));
	CU_ASSERT_EQUAL_FATAL(spec.masked_paths.count, 2);
	CU_ASSERT_STRING_EQUAL(spec.masked_paths.items[1], "/b");
	CU_ASSERT_STRING_EQUAL(spec.readonly_paths.items[0], "/c");
	CU_ASSERT_STRING_EQUAL(spec.mount_label, "label");
	CU_ASSERT_STRING_EQUAL(spec.cgroups_path, "a:b:c");
	CU_ASSERT_PTR_NULL(sample_spec(&arena, SAMPLE_LINUX("'mountLabel':'',")).mount_label);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'rootfsPropagation':'public',"), "linux.rootfsPropagation: \"public\" is none of private" },
		{ SAMPLE_LINUX("'rootfsPropagation':7,"), "linux.rootfsPropagation: 7 is not a string" },
		{ SAMPLE_LINUX("'maskedPaths':['/a'],"), "linux.maskedPaths: needs a mount namespace" },
		{ SAMPLE_LINUX("'readonlyPaths':['/a'],"), "linux.readonlyPaths: needs a mount namespace" },
		{ SAMPLE_LINUX(SAMPLE_NAMESPACES "'maskedPaths':['/a','b'],"),
		  "linux.maskedPaths[1]: \"b\" is not an absolute path" },
		{ SAMPLE_LINUX(SAMPLE_NAMESPACES "'readonlyPaths':[''],"), "linux.readonlyPaths[0]: \"\" is not an absolute path" },
		{ SAMPLE_LINUX(SAMPLE_NAMESPACES "'readonlyPaths':[7],"), "linux.readonlyPaths[0]: 7 is not a string" },
		{ SAMPLE_LINUX(SAMPLE_NAMESPACES "'maskedPaths':'/a',"), "linux.maskedPaths: \"/a\" is not an array" },
		{ SAMPLE_LINUX("'mountLabel':7,"), "linux.mountLabel: 7 is not a string" },
		{ SAMPLE("'linux':{'cgroupsPath':7},"), "linux.cgroupsPath: 7 is not a string" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_linux, personality) // LX-PER-01, LX-PER-02
{
	own_arena struct arena arena = { 0 };
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE_LINUX("'personality':{'domain':'LINUX32','flags':[]},")).personality, 8);
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE_LINUX("'personality':{'domain':'LINUX'},")).personality, 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'personality':'LINUX',"), "linux.personality: \"LINUX\" is not an object" },
		{ SAMPLE_LINUX("'personality':{},"), "linux.personality.domain: is missing" },
		{ SAMPLE_LINUX("'personality':{'domain':'BSD'},"),
		  "linux.personality.domain: \"BSD\" is neither LINUX nor LINUX32" },
		{ SAMPLE_LINUX("'personality':{'domain':''},"), "linux.personality.domain: \"\" is neither LINUX nor LINUX32" },
		{ SAMPLE_LINUX("'personality':{'domain':'LINUX','flags':['X']},"), "linux.personality.flags[0]: \"X\" is no flag" },
		{ SAMPLE_LINUX("'personality':{'domain':'LINUX','flags':'X'},"), "linux.personality.flags: \"X\" is not an array" },
	};
	SAMPLE_REFUSED(wrong);
}

#define POLICY(parts) SAMPLE_LINUX("'memoryPolicy':{" parts "},")

TEST(from_oci_linux, memory_policies) // MP-01 to MP-03
{
	static const struct {
		const char *parts;
		int mode;
		const char *nodes;
	} rows[] = {
		{ "'mode':'MPOL_DEFAULT'", 0, NULL },
		{ "'mode':'MPOL_PREFERRED'", 1, NULL },
		{ "'mode':'MPOL_PREFERRED','nodes':'1'", 1, "1" },
		{ "'mode':'MPOL_BIND','nodes':'0-3,7','flags':['MPOL_F_STATIC_NODES','MPOL_F_NUMA_BALANCING']",
		  2 | 1 << 15 | 1 << 13, "0-3,7" },
		{ "'mode':'MPOL_INTERLEAVE','nodes':'0','flags':['MPOL_F_RELATIVE_NODES']", 3 | 1 << 14, "0" },
		{ "'mode':'MPOL_LOCAL','nodes':'','flags':[]", 4, NULL },
		{ "'mode':'MPOL_PREFERRED_MANY','nodes':'0'", 5, "0" },
		{ "'mode':'MPOL_WEIGHTED_INTERLEAVE','nodes':'0'", 6, "0" },
	};
	own_arena struct arena arena = { 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spec_memory_policy m = sample_spec(&arena, arena_printf(&arena, POLICY("%s"), rows[i].parts)).memory_policy;
		CU_ASSERT_TRUE(m.given && m.mode == rows[i].mode && str_eq(m.nodes, rows[i].nodes));
	}
	CU_ASSERT_FALSE(sample_spec(&arena, SAMPLE_LINUX("")).memory_policy.given);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'memoryPolicy':'MPOL_BIND',"), "linux.memoryPolicy: \"MPOL_BIND\" is not an object" },
		{ POLICY(""), "linux.memoryPolicy.mode: invalid memory policy: it has no mode" },
		{ POLICY("'mode':'MPOL_FOO'"), "linux.memoryPolicy.mode: \"MPOL_FOO\" invalid memory policy: no such mode" },
		{ POLICY("'mode':7"), "linux.memoryPolicy.mode: 7 is not a string" },
		{ POLICY("'mode':'MPOL_DEFAULT','nodes':'0'"),
		  "linux.memoryPolicy.nodes: \"0\" invalid memory policy: this mode takes no nodes" },
		{ POLICY("'mode':'MPOL_LOCAL','nodes':'0'"), "this mode takes no nodes" },
		{ POLICY("'mode':'MPOL_BIND'"),
		  "linux.memoryPolicy.nodes: invalid memory policy: this mode needs at least one node" },
		{ POLICY("'mode':'MPOL_WEIGHTED_INTERLEAVE','nodes':''"), "this mode needs at least one node" },
		{ POLICY("'mode':'MPOL_BIND','nodes':'x'"),
		  "invalid memory policy: linux.memoryPolicy.nodes: \"x\" is not a list" },
		{ POLICY("'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_X']"),
		  "linux.memoryPolicy.flags[0]: \"MPOL_F_X\" invalid memory policy: no such flag" },
		{ POLICY("'mode':'MPOL_BIND','nodes':'0','flags':['MPOL_F_STATIC_NODES','MPOL_F_RELATIVE_NODES']"),
		  "exclude each other" },
		{ POLICY("'mode':'MPOL_PREFERRED','flags':['MPOL_F_STATIC_NODES']"), "need nodes" },
		{ POLICY("'mode':'MPOL_INTERLEAVE','nodes':'0','flags':['MPOL_F_NUMA_BALANCING']"),
		  "MPOL_F_NUMA_BALANCING goes with" },
	};
	SAMPLE_REFUSED(wrong);
}

#define RDT(parts) SAMPLE_LINUX("'intelRdt':{" parts "},")

TEST(from_oci_linux, resource_director) // RD-01 to RD-12
{
	own_arena struct arena arena = { 0 };
	struct spec_rdt rdt =
		sample_spec(&arena, RDT("'closID':'class','l3CacheSchema':'L3:0=f','memBwSchema':'MB:0=20','schemata':['a','b'],"
					"'enableMonitoring':true"))
			.rdt;
	CU_ASSERT_TRUE(rdt.given && rdt.monitoring && rdt.schemata.count == 2);
	CU_ASSERT_STRING_EQUAL(rdt.class, "class");
	CU_ASSERT_STRING_EQUAL(rdt.l3_cache, "L3:0=f");
	CU_ASSERT_STRING_EQUAL(rdt.memory_bandwidth, "MB:0=20");
	rdt = sample_spec(&arena, RDT("'closID':''")).rdt;
	CU_ASSERT_TRUE(rdt.given && !rdt.class && !rdt.l3_cache && !rdt.monitoring);
	CU_ASSERT_STRING_EQUAL(sample_spec(&arena, RDT("'closID':'/'")).rdt.class, "/");
	CU_ASSERT_FALSE(sample_spec(&arena, SAMPLE_LINUX("")).rdt.given);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'intelRdt':7,"), "linux.intelRdt: 7 is not an object" },
		{ RDT("'closID':'a/b'"), "linux.intelRdt.closID: \"a/b\" is no name of a group" },
		{ RDT("'closID':'..'"), "linux.intelRdt.closID: \"..\" is no name of a group" },
		{ RDT("'closID':'info'"), "linux.intelRdt.closID: \"info\" is no name of a group" },
		{ RDT("'closID':7"), "linux.intelRdt.closID: 7 is not a string" },
		{ RDT("'memBwSchema':'L3:0=f'"), "linux.intelRdt.memBwSchema: \"L3:0=f\" does not begin with MB:" },
		{ RDT("'memBwSchema':'MB:0=1\\nL3:0=f'"), "linux.intelRdt.memBwSchema: \"MB:0=1\\nL3:0=f\" is more than one line" },
		{ RDT("'l3CacheSchema':'L3:0=1\\n'"), "linux.intelRdt.l3CacheSchema: \"L3:0=1\\n\" is more than one line" },
		{ RDT("'schemata':['a','b\\nc']"), "linux.intelRdt.schemata[1]: \"b\\nc\" is more than one line" },
		{ RDT("'schemata':'a'"), "linux.intelRdt.schemata: \"a\" is not an array" },
		{ RDT("'enableMonitoring':1"), "linux.intelRdt.enableMonitoring: 1 is neither true nor false" },
	};
	SAMPLE_REFUSED(wrong);
}

#define FILTER(parts) SAMPLE_LINUX("'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'" parts "},")

TEST(from_oci_linux, the_filter) // LX-SEC-09, LX-SEC-10
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	struct spec spec;
	json_auto_t *tree = sample_json(SAMPLE("'process':{'args':['a'],'cwd':'/'},'linux':{'seccomp':{'listenerPath':'agent.sock',"
					       "'listenerMetadata':'m'}},"));
	CU_ASSERT_EQUAL_FATAL(oci_to_spec(&arena, tree, "/b", "id", &spec, &err), 0);
	CU_ASSERT_EQUAL(spec.process.seccomp, SPEC_SECCOMP_JSON);
	CU_ASSERT_PTR_EQUAL(spec.process.seccomp_json, json_object_get(json_object_get(tree, "linux"), "seccomp"));
	CU_ASSERT_STRING_EQUAL(spec.process.seccomp_listener, "/b/agent.sock");
	CU_ASSERT_STRING_EQUAL(spec.process.seccomp_metadata, "m");
	CU_ASSERT_EQUAL(sample_spec(&arena, SAMPLE_LINUX("'seccomp':null,")).process.seccomp, SPEC_SECCOMP_UNCONFINED);
	CU_ASSERT_STRING_EQUAL(sample_spec(&arena, FILTER(",'listenerPath':'/l'")).process.seccomp_listener, "/l");
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'seccomp':'unconfined',"), "linux.seccomp: \"unconfined\" is not an object" },
		{ FILTER(",'listenerPath':7"), "linux.seccomp.listenerPath: 7 is not a string" },
		{ FILTER(",'listenerMetadata':7"), "linux.seccomp.listenerMetadata: 7 is not a string" },
		{ FILTER(",'listenerMetadata':'m'"), "linux.seccomp.listenerMetadata: \"m\" goes with listenerPath only" },
	};
	SAMPLE_REFUSED(wrong);
}
