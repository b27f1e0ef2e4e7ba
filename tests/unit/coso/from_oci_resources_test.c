// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci_resources_test.c - config.json: limits, devices, network devices
#include "coso/spec/caller.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define RESOURCES(parts) SAMPLE_LINUX("'resources':{" parts "},")

static struct spec_resources resources_of(struct arena *arena, const char *text)
{
	return sample_spec(arena, text).resources;
}

TEST(from_oci_resources, memory) // RS-01 to RS-09
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r =
		resources_of(&arena, RESOURCES("'memory':{'limit':9223372036854775807,'reservation':-1,'swap':-1,'kernel':5,"
					       "'kernelTCP':6,'swappiness':0,'disableOOMKiller':true,'useHierarchy':false,"
					       "'checkBeforeUpdate':true}"));
	CU_ASSERT_TRUE(r.memory_limit == INT64_MAX && r.memory_reservation == -1 && r.memory_swap == -1);
	CU_ASSERT_TRUE(r.memory_kernel == 5 && r.memory_kernel_tcp == 6 && r.memory_no_oom_killer && r.memory_check);
	CU_ASSERT_TRUE(r.memory_swappiness.given && r.memory_swappiness.value == 0);
	r = resources_of(&arena, RESOURCES("'memory':{'limit':100,'swap':100}"));
	CU_ASSERT_TRUE(r.memory_swap == 100 && !r.memory_swappiness.given && !r.memory_no_oom_killer);
	r = resources_of(&arena, RESOURCES("'memory':{'limit':0,'swap':0}")); // not set
	CU_ASSERT_EQUAL(r.memory_limit | r.memory_swap, 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'resources':[],"), "linux.resources: [] is not an object" },
		{ RESOURCES("'memory':7"), "linux.resources.memory: 7 is not an object" },
		{ RESOURCES("'memory':{'limit':-2}"), "linux.resources.memory.limit: -2 is not from -1 to" },
		{ RESOURCES("'memory':{'limit':9223372036854775808}"),
		  "linux.resources.memory.limit: 9223372036854775808 is not from" },
		{ RESOURCES("'memory':{'limit':'1g'}"), "linux.resources.memory.limit: \"1g\" is not a whole number" },
		{ RESOURCES("'memory':{'reservation':1.5}"), "linux.resources.memory.reservation: 1.5 is not a whole number" },
		{ RESOURCES("'memory':{'kernel':[]}"), "linux.resources.memory.kernel: [] is not a whole number" },
		{ RESOURCES("'memory':{'kernelTCP':true}"), "linux.resources.memory.kernelTCP: true is not a whole number" },
		{ RESOURCES("'memory':{'limit':100,'swap':99}"), "memory+swap limit should be >= memory limit" },
		{ RESOURCES("'memory':{'swap':99}"),
		  "linux.resources.memory.swap: 99 is set alone: unable to set swap limit without memory limit" },
		{ RESOURCES("'memory':{'limit':-1,'swap':99}"), "unable to set swap limit without memory limit" },
		{ RESOURCES("'memory':{'swappiness':101}"), "linux.resources.memory.swappiness: 101 is not from 0 to 100" },
		{ RESOURCES("'memory':{'disableOOMKiller':1}"),
		  "linux.resources.memory.disableOOMKiller: 1 is neither true nor false" },
		{ RESOURCES("'memory':{'useHierarchy':1}"), "linux.resources.memory.useHierarchy: 1 is neither true nor false" },
		{ RESOURCES("'memory':{'checkBeforeUpdate':1}"),
		  "linux.resources.memory.checkBeforeUpdate: 1 is neither true nor false" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_resources, cpu) // RS-10 to RS-16
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r =
		resources_of(&arena, RESOURCES("'cpu':{'shares':1024,'quota':100000,'burst':100000,'period':1000,"
					       "'realtimeRuntime':95,'realtimePeriod':100,'cpus':'0-1,3','mems':'0','idle':0}"));
	CU_ASSERT_TRUE(r.cpu_shares == 1024 && r.cpu_quota == 100000 && r.cpu_period == 1000 && r.cpu_rt_runtime == 95 &&
		       r.cpu_rt_period == 100);
	CU_ASSERT_TRUE(r.cpu_burst.given && r.cpu_burst.value == 100000 && r.cpu_idle.given && r.cpu_idle.value == 0);
	CU_ASSERT_STRING_EQUAL(r.cpuset_cpus, "0-1,3");
	CU_ASSERT_STRING_EQUAL(r.cpuset_mems, "0");
	r = resources_of(&arena, RESOURCES("'cpu':{'shares':0,'quota':-5,'burst':7,'period':0,'cpus':'','idle':1}"));
	CU_ASSERT_TRUE(r.cpu_shares == 0 && r.cpu_quota == -1 && r.cpu_period == 0 && !r.cpuset_cpus && r.cpu_idle.value == 1);
	CU_ASSERT_EQUAL(r.cpu_burst.value, 7);
	static const struct sample_wrong wrong[] = {
		{ RESOURCES("'cpu':[]"), "linux.resources.cpu: [] is not an object" },
		{ RESOURCES("'cpu':{'shares':-1}"), "linux.resources.cpu.shares: -1 is not from 0" },
		{ RESOURCES("'cpu':{'quota':'x'}"), "linux.resources.cpu.quota: \"x\" is not a whole number" },
		{ RESOURCES("'cpu':{'period':999}"), "linux.resources.cpu.period: 999 is less than 1000" },
		{ RESOURCES("'cpu':{'period':1000001}"), "linux.resources.cpu.period: 1000001 is not from 0 to 1000000" },
		{ RESOURCES("'cpu':{'quota':5,'burst':6}"), "linux.resources.cpu.burst: 6 is more than the quota" },
		{ RESOURCES("'cpu':{'burst':-1}"), "linux.resources.cpu.burst: -1 is not from 0" },
		{ RESOURCES("'cpu':{'realtimeRuntime':-2}"), "linux.resources.cpu.realtimeRuntime: -2 is not from -1" },
		{ RESOURCES("'cpu':{'realtimePeriod':-2}"), "linux.resources.cpu.realtimePeriod: -2 is not from 0" },
		{ RESOURCES("'cpu':{'cpus':'1-'}"), "linux.resources.cpu.cpus: \"1-\" is not a list" },
		{ RESOURCES("'cpu':{'mems':0}"), "linux.resources.cpu.mems: 0 is not a string" },
		{ RESOURCES("'cpu':{'idle':2}"), "linux.resources.cpu.idle: 2 is not from 0 to 1" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_resources, pids) // RS-25
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r = resources_of(&arena, RESOURCES("'pids':{'limit':5}"));
	CU_ASSERT_TRUE(r.pids_limit == 5 && !r.pids_none);
	r = resources_of(&arena, RESOURCES("'pids':{'limit':0}"));
	CU_ASSERT_TRUE(r.pids_limit == 0 && r.pids_none);
	r = resources_of(&arena, RESOURCES("'pids':{'limit':-1}"));
	CU_ASSERT_TRUE(r.pids_limit == -1 && !r.pids_none);
	r = resources_of(&arena, RESOURCES("'pids':{}"));
	CU_ASSERT_TRUE(r.pids_limit == 0 && !r.pids_none);
	static const struct sample_wrong wrong[] = {
		{ RESOURCES("'pids':7"), "linux.resources.pids: 7 is not an object" },
		{ RESOURCES("'pids':{'limit':-2}"), "linux.resources.pids.limit: -2 is not from -1" },
		{ RESOURCES("'pids':{'limit':'max'}"), "linux.resources.pids.limit: \"max\" is not a whole number" },
	};
	SAMPLE_REFUSED(wrong);
}

#define IO(parts) RESOURCES("'blockIO':{" parts "}")

TEST(from_oci_resources, block_io) // RS-17 to RS-21
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r = resources_of(
		&arena,
		IO("'weight':10,'leafWeight':1000,'weightDevice':[{'major':8,'minor':0,'weight':500,'leafWeight':300},"
		   "{'major':8,'minor':1,'leafWeight':20},{'major':8,'minor':2,'weight':30}],'throttleReadBpsDevice':[{'major':1,"
		   "'minor':2,'rate':18446744073709551615}],'throttleWriteBpsDevice':[{'major':1,'minor':3,'rate':4}],"
		   "'throttleReadIOPSDevice':[{'major':1,'minor':4,'rate':5},{'major':1,'minor':5,'rate':0}],"
		   "'throttleWriteIOPSDevice':[{'major':1,'minor':6,'rate':7}]"));
	CU_ASSERT_TRUE(r.blkio_weight == 10 && r.blkio_leaf_weight == 1000 && r.io_weight == 0);
	CU_ASSERT_EQUAL_FATAL(r.blkio_weights.count, 2);
	CU_ASSERT_TRUE(r.blkio_weights.items[1].minor == 2 && r.blkio_weights.items[1].value == 30);
	CU_ASSERT_EQUAL_FATAL(r.blkio_leaf_weights.count, 2);
	CU_ASSERT_TRUE(r.blkio_leaf_weights.items[0].value == 300 && r.blkio_leaf_weights.items[1].minor == 1);
	CU_ASSERT_TRUE(r.read_bps.count == 1 && r.read_bps.items[0].minor == 2 && r.read_bps.items[0].value == UINT64_MAX);
	CU_ASSERT_TRUE(r.write_bps.count == 1 && r.write_bps.items[0].minor == 3);
	CU_ASSERT_TRUE(r.read_iops.count == 2 && r.read_iops.items[0].minor == 4 && r.read_iops.items[1].value == 0);
	CU_ASSERT_TRUE(r.write_iops.count == 1 && r.write_iops.items[0].value == 7);
	CU_ASSERT_EQUAL(resources_of(&arena, IO("'weight':0")).blkio_weight, 0);
	static const struct sample_wrong wrong[] = {
		{ RESOURCES("'blockIO':7"), "linux.resources.blockIO: 7 is not an object" },
		{ IO("'weight':9"), "linux.resources.blockIO.weight: 9 is not from 10 to 1000" },
		{ IO("'weight':1001"), "linux.resources.blockIO.weight: 1001 is not from 0 to 1000" },
		{ IO("'leafWeight':9"), "linux.resources.blockIO.leafWeight: 9 is not from 10 to 1000" },
		{ IO("'weightDevice':{}"), "linux.resources.blockIO.weightDevice: {} is not an array" },
		{ IO("'weightDevice':[{'major':8,'minor':0}]"),
		  "linux.resources.blockIO.weightDevice[0]: has neither a weight nor a leafWeight" },
		{ IO("'weightDevice':[{'minor':0,'weight':10}]"), "linux.resources.blockIO.weightDevice[0].major: is missing" },
		{ IO("'weightDevice':[{'major':0,'weight':10}]"), "linux.resources.blockIO.weightDevice[0].minor: is missing" },
		{ IO("'weightDevice':[{'major':8,'minor':0,'weight':5}]"),
		  "linux.resources.blockIO.weightDevice[0].weight: 5 is not from 10" },
		{ IO("'throttleReadBpsDevice':[7]"), "linux.resources.blockIO.throttleReadBpsDevice[0]: 7 is not an object" },
		{ IO("'throttleWriteBpsDevice':[{'major':8,'minor':0}]"),
		  "linux.resources.blockIO.throttleWriteBpsDevice[0].rate: is missing" },
		{ IO("'throttleReadIOPSDevice':[{'major':-1,'minor':0,'rate':1}]"),
		  "throttleReadIOPSDevice[0].major: -1 is not from 0" },
		{ IO("'throttleWriteIOPSDevice':[{'major':8,'minor':0,'rate':-1}]"),
		  "throttleWriteIOPSDevice[0].rate: -1 is not from 0" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_resources, the_rest) // RS-22 to RS-24, RS-26, RS-27
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r = resources_of(
		&arena,
		RESOURCES("'hugepageLimits':[{'pageSize':'2MB','limit':18446744073709551615},{'pageSize':'64KB','limit':0}],"
			  "'network':{'classID':4294967295,'priorities':[{'name':'eth0','priority':5}]},"
			  "'rdma':{'mlx5_1':{'hcaHandles':3},'rxe3':{'hcaObjects':0}},'unified':{'io.max':'a\\nb','x':''}"));
	CU_ASSERT_EQUAL_FATAL(r.hugepage_count, 2);
	CU_ASSERT_TRUE(str_eq(r.hugepages[0].size, "2MB") && r.hugepages[0].limit == UINT64_MAX && r.hugepages[1].limit == 0);
	CU_ASSERT_TRUE(r.net_class == UINT32_MAX && r.net_priority_count == 1 && r.net_priorities[0].priority == 5);
	CU_ASSERT_STRING_EQUAL(r.net_priorities[0].interface, "eth0");
	CU_ASSERT_EQUAL_FATAL(r.rdma_count, 2);
	CU_ASSERT_TRUE(str_eq(r.rdma[0].device, "mlx5_1") && r.rdma[0].handles == 3 && r.rdma[0].objects == -1);
	CU_ASSERT_TRUE(r.rdma[1].handles == -1 && r.rdma[1].objects == 0);
	CU_ASSERT_EQUAL_FATAL(r.unified.count, 2);
	CU_ASSERT_STRING_EQUAL(r.unified.items[0], "io.max=a\nb");
	CU_ASSERT_STRING_EQUAL(r.unified.items[1], "x=");
	static const struct sample_wrong wrong[] = {
		{ RESOURCES("'hugepageLimits':{}"), "linux.resources.hugepageLimits: {} is not an array" },
		{ RESOURCES("'hugepageLimits':[{'limit':1}]"), "linux.resources.hugepageLimits[0].pageSize: is missing" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'2MB'}]"), "linux.resources.hugepageLimits[0].limit: is missing" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'2M','limit':1}]"),
		  "hugepageLimits[0].pageSize: \"2M\" is no size of pages" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'02MB','limit':1}]"), "\"02MB\" is no size of pages" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'MB','limit':1}]"), "\"MB\" is no size of pages" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'2MB/..','limit':1}]"), "\"2MB/..\" is no size of pages" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'','limit':1}]"), "\"\" is no size of pages" },
		{ RESOURCES("'hugepageLimits':[{'pageSize':'2MB','limit':-1}]"), "hugepageLimits[0].limit: -1 is not from 0" },
		{ RESOURCES("'network':7"), "linux.resources.network: 7 is not an object" },
		{ RESOURCES("'network':{'classID':4294967296}"), "linux.resources.network.classID: 4294967296 is not from 0" },
		{ RESOURCES("'network':{'priorities':[{'priority':1}]}"),
		  "linux.resources.network.priorities[0].name: is no name" },
		{ RESOURCES("'network':{'priorities':[{'name':'a b','priority':1}]}"), "priorities[0].name: \"a b\" is no name" },
		{ RESOURCES("'network':{'priorities':[{'name':'a'}]}"), "priorities[0].priority: is missing" },
		{ RESOURCES("'rdma':[]"), "linux.resources.rdma: [] is not an object" },
		{ RESOURCES("'rdma':{'a':7}"), "linux.resources.rdma.a: 7 is not an object" },
		{ RESOURCES("'rdma':{'a':{}}"), "linux.resources.rdma.a: {} has neither hcaHandles nor hcaObjects" },
		{ RESOURCES("'rdma':{'a':{'hcaHandles':-1}}"), "linux.resources.rdma.a.hcaHandles: -1 is not from 0" },
		{ RESOURCES("'rdma':{'a b':{'hcaHandles':1}}"), "linux.resources.rdma[\"a b\"]: belongs to no device" },
		{ RESOURCES("'unified':[]"), "linux.resources.unified: [] is not an object" },
		{ RESOURCES("'unified':{'a':1}"), "linux.resources.unified.a: 1 is not a string" },
		{ RESOURCES("'unified':{'../a':'1'}"),
		  "linux.resources.unified[\"../a\"]: \"1\" belongs to no file of a control group" },
		{ RESOURCES("'unified':{'a/b':'1'}"), "belongs to no file" },
		{ RESOURCES("'unified':{'a=b':'1'}"), "belongs to no file" },
		{ RESOURCES("'unified':{'..':'1'}"), "belongs to no file" },
		{ RESOURCES("'unified':{'':'1'}"), "belongs to no file" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_resources, update) // T31: devices aren't looked at; RS-03 without the limit that is in force
{
	own_arena struct arena arena = { 0 };
	struct spec_resources r;
	struct err err = { 0 };
	json_auto_t *tree = sample_json("{'devices':7,'memory':{'swap':100},'pids':{'limit':3}}");
	json_auto_t *wrong = sample_json("{'memory':{'limit':-2}}"), *array = sample_json("[]");
	CU_ASSERT_EQUAL_FATAL(oci_resources(&arena, tree, "resources", &r, &err), 0);
	CU_ASSERT_TRUE(r.memory_swap == 100 && r.pids_limit == 3 && r.device_count == 0);
	CU_ASSERT_EQUAL(oci_resources(&arena, wrong, "resources", &r, &err), -1);
	CU_ASSERT_TRUE(str_starts(err.msg, "resources.memory.limit: -2 is not"));
	CU_ASSERT_EQUAL(r.memory_swap, 100);
	CU_ASSERT_EQUAL(oci_resources(&arena, array, "resources", &r, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "resources: [] is not an object");
}

TEST(from_oci_resources, rules_for_devices) // CG-12 to CG-16
{
	own_arena struct arena arena = { 0 };
	struct spec_resources none = resources_of(&arena, SAMPLE_LINUX(""));
	CU_ASSERT_TRUE(none.devices_default);
	CU_ASSERT_FALSE(none.devices[0].allow);
	CU_ASSERT_TRUE(none.devices[0].type == 'a' && none.devices[0].major == -1 && str_eq(none.devices[0].access, "rwm"));
	struct spec_resources r = resources_of(
		&arena,
		RESOURCES(
			"'devices':[{'allow':true},{'allow':false,'type':'','access':''},{'allow':true,'type':'c','major':10,'minor':-1,"
			"'access':'rw'},{'allow':true,'type':'b','minor':5,'access':'m'}]"));
	CU_ASSERT_EQUAL_FATAL(r.device_count, none.device_count + 4);
	CU_ASSERT_EQUAL(r.devices_default, !caller_look().privileged);
	const struct spec_device_rule *d = r.devices;
	CU_ASSERT_TRUE(!d[0].allow && d[0].type == 'a');
	CU_ASSERT_TRUE(d[1].allow && d[1].type == 'a' && d[1].major == -1 && d[1].minor == -1 && str_eq(d[1].access, "rwm"));
	CU_ASSERT_TRUE(!d[2].allow && d[2].type == 'a' && str_eq(d[2].access, "rwm"));
	CU_ASSERT_TRUE(d[3].allow && d[3].type == 'c' && d[3].major == 10 && d[3].minor == -1 && str_eq(d[3].access, "rw"));
	CU_ASSERT_TRUE(d[4].type == 'b' && d[4].major == -1 && d[4].minor == 5 && str_eq(d[4].access, "m"));
	for (size_t i = 5; i < r.device_count; i++) // what a container can't do without comes last
		CU_ASSERT_TRUE(d[i].allow);
	static const struct sample_wrong wrong[] = {
		{ RESOURCES("'devices':{}"), "linux.resources.devices: {} is not an array" },
		{ RESOURCES("'devices':[7]"), "linux.resources.devices[0]: 7 is not an object" },
		{ RESOURCES("'devices':[{'type':'c'}]"), "linux.resources.devices[0].allow: is missing" },
		{ RESOURCES("'devices':[{'allow':'true'}]"),
		  "linux.resources.devices[0].allow: \"true\" is neither true nor false" },
		{ RESOURCES("'devices':[{'allow':true,'type':'p'}]"), "linux.resources.devices[0].type: \"p\" is none of a, c, b" },
		{ RESOURCES("'devices':[{'allow':true,'access':'rx'}]"),
		  "linux.resources.devices[0].access: \"rx\" is not of r, w and m" },
		{ RESOURCES("'devices':[{'allow':true,'major':-2}]"), "linux.resources.devices[0].major: -2 is not from -1" },
		{ RESOURCES("'devices':[{'allow':true,'minor':'*'}]"),
		  "linux.resources.devices[0].minor: \"*\" is not a whole number" },
	};
	SAMPLE_REFUSED(wrong);
}

#define NODES(parts) SAMPLE_LINUX("'devices':[" parts "],")

TEST(from_oci_resources, device_nodes) // DV-01 to DV-06
{
	own_arena struct arena arena = { 0 };
	struct spec spec =
		sample_spec(&arena, NODES("{'path':'/dev/fuse','type':'c','major':10,'minor':229,'fileMode':8630,'uid':1,'gid':2},"
					  "{'path':'/d/b','type':'b','major':4095,'minor':1048575,'fileMode':384},"
					  "{'path':'/p','type':'p'},{'path':'/u','type':'u','major':1,'minor':3},"
					  "{'path':'/u2','type':'u','major':1,'minor':3,'fileMode':0}"));
	CU_ASSERT_EQUAL_FATAL(spec.device_count, 5);
	const struct spec_device *d = spec.devices;
	CU_ASSERT_TRUE(str_eq(d[0].path, "/dev/fuse") && d[0].type == 'c' && d[0].major == 10 && d[0].minor == 229 &&
		       d[0].mode == 0666);
	CU_ASSERT_TRUE(d[0].uid == 1 && d[0].gid == 2 && !d[0].host_path);
	CU_ASSERT_TRUE(d[1].type == 'b' && d[1].major == 4095 && d[1].minor == 1048575 && d[1].mode == 0600);
	CU_ASSERT_TRUE(d[2].type == 'p' && d[2].mode == 0666 && d[3].type == 'u' && d[4].mode == 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'devices':{},"), "linux.devices: {} is not an array" },
		{ NODES("7"), "linux.devices[0]: 7 is not an object" },
		{ NODES("{'path':'/a','major':1,'minor':1}"), "linux.devices[0].type: is missing" },
		{ NODES("{'type':'c','major':1,'minor':1}"), "linux.devices[0].path: is missing" },
		{ NODES("{'path':'a','type':'c','major':1,'minor':1}"), "linux.devices[0].path: \"a\" is not an absolute path" },
		{ NODES("{'path':'/a','type':'x','major':1,'minor':1}"), "linux.devices[0].type: \"x\" is none of c, b, u, p" },
		{ NODES("{'path':'/a','type':'','major':1,'minor':1}"), "linux.devices[0].type: \"\" is none of c, b, u, p" },
		{ NODES("{'path':'/a','type':'c','minor':1}"), "linux.devices[0].major: is missing" },
		{ NODES("{'path':'/a','type':'b','major':1}"), "linux.devices[0].minor: is missing" },
		{ NODES("{'path':'/a','type':'c','major':-1,'minor':1}"), "linux.devices[0].major: -1 is not from 0 to 4095" },
		{ NODES("{'path':'/a','type':'c','major':4096,'minor':1}"), "linux.devices[0].major: 4096 is not from 0 to 4095" },
		{ NODES("{'path':'/a','type':'c','major':1,'minor':1048576}"), "linux.devices[0].minor: 1048576 is not from 0" },
		{ NODES("{'path':'/a','type':'c','major':1,'minor':1,'fileMode':24576}"),
		  "linux.devices[0].fileMode: 24576 is no mode of such a file" },
		{ NODES("{'path':'/a','type':'c','major':1,'minor':1,'fileMode':'0666'}"),
		  "linux.devices[0].fileMode: \"0666\" is not a whole number" },
		{ NODES("{'path':'/a','type':'c','major':1,'minor':1,'uid':-1}"), "linux.devices[0].uid: -1 is not from 0" },
		{ NODES("{'path':'/a','type':'c','major':1,'minor':1,'gid':'x'}"),
		  "linux.devices[0].gid: \"x\" is not a whole number" },
	};
	SAMPLE_REFUSED(wrong);
}

#define INTERFACES(parts) SAMPLE_LINUX(SAMPLE_NAMESPACES "'netDevices':{" parts "},")

TEST(from_oci_resources, network_devices) // ND-01 to ND-04, ND-08
{
	own_arena struct arena arena = { 0 };
	struct spec spec =
		sample_spec(&arena, INTERFACES("'eth0':{},'eth1':{'name':'inner0'},'eth2':{'name':'x%d'},'eth3':{'name':'x%d'}"));
	CU_ASSERT_EQUAL_FATAL(spec.net_device_count, 4);
	CU_ASSERT_TRUE(str_eq(spec.net_devices[0].host, "eth0") && !spec.net_devices[0].name);
	CU_ASSERT_STRING_EQUAL(spec.net_devices[1].name, "inner0");
	CU_ASSERT_STRING_EQUAL(spec.net_devices[3].name, "x%d");
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_LINUX("'netDevices':{'eth0':{}},"), "linux.netDevices: needs a network namespace" },
		{ SAMPLE_LINUX("'netDevices':[],"), "linux.netDevices: [] is not an object" },
		{ INTERFACES("'eth0':7"), "linux.netDevices.eth0: 7 is not an object" },
		{ INTERFACES("'eth0':{'name':7}"), "linux.netDevices.eth0.name: 7 is not a string" },
		{ INTERFACES("'eth0':{'name':'0123456789012345'}"),
		  "linux.netDevices.eth0.name: \"0123456789012345\" is no name of an interface" },
		{ INTERFACES("'eth0':{'name':'a/b'}"), "\"a/b\" is no name" },
		{ INTERFACES("'eth0':{'name':'a:b'}"), "\"a:b\" is no name" },
		{ INTERFACES("'eth0':{'name':'a b'}"), "\"a b\" is no name" },
		{ INTERFACES("'eth0':{'name':'..'}"), "\"..\" is no name" },
		{ INTERFACES("'eth0':{'name':'a%s'}"), "\"a%s\" is no name" },
		{ INTERFACES("'eth0':{'name':'a%d%d'}"), "\"a%d%d\" is no name" },
		{ INTERFACES("'':{}"), "linux.netDevices[\"\"]: {} belongs to no interface" },
		{ INTERFACES("'eth%d':{}"), "linux.netDevices[\"eth%d\"]: {} belongs to no interface" },
		{ INTERFACES("'eth0':{'name':'eth1'},'eth1':{}"), "linux.netDevices.eth1: {} gets a name that another one has" },
	};
	SAMPLE_REFUSED(wrong);
}
