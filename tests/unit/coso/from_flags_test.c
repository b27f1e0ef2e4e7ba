// SPDX-License-Identifier: GPL-2.0-or-later
// from_flags_test.c - the spec that flags mean
#include "coso/spec/flags.h"
#include "tests/unit/unit.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL_NS .ns_uts = true, .ns_ipc = true, .ns_net = true, .ns_pid = true, .ns_mount = true, .ns_cgroup = true

static int make(struct arena *arena, const struct flags *flags, struct spec *out, struct err *err)
{
	*err = (struct err){ 0 };
	int result = flags_to_spec(arena, flags, "someid", out, err);
	CU_ASSERT_EQUAL(result < 0, err->msg[0] != '\0');
	return result;
}

#define SPEC(...) make(&arena, &(struct flags){ __VA_ARGS__ }, &spec, &err)
#define SETUP                                                                                                                      \
	own_arena struct arena arena = { 0 };                                                                                      \
	struct spec spec = { 0 };                                                                                                  \
	struct err err

static struct strv list_of(struct arena *arena, const char *a, const char *b)
{
	struct strv list = { 0 };
	strv_push(arena, &list, a);
	if (b)
		strv_push(arena, &list, b);
	return list;
}

TEST(from_flags, defaults)
{
	SETUP;
	const unsigned long all =
		CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUSER;
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .rootfs = "/r"), 0);
	CU_ASSERT_EQUAL(spec.namespaces, all);
	CU_ASSERT_STRING_EQUAL(spec.hostname, "someid");
	CU_ASSERT_STRING_EQUAL(spec.root.path, "/r");
	CU_ASSERT_TRUE(spec.root.overlay && !spec.root.readonly);
	CU_ASSERT_STRING_EQUAL(spec.process.args.items[0], "/bin/sh");
	CU_ASSERT_PTR_NULL(spec.process.args.items[1]);
	CU_ASSERT_EQUAL(spec.process.seccomp, SPEC_SECCOMP_DEFAULT);
	CU_ASSERT_TRUE(spec.uid_maps.count > 0 && spec.gid_maps.count > 0);
	CU_ASSERT_PTR_NOT_NULL(spec.home_slot);
	CU_ASSERT_EQUAL(spec.resources.device_count, 0); // the user namespace does
}

TEST(from_flags, namespaces)
{
	SETUP;
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid,uts"), 0);
	CU_ASSERT_EQUAL(spec.namespaces, CLONE_NEWPID | CLONE_NEWUTS);
	CU_ASSERT_EQUAL(spec.mount_count, 0);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "mnt,net,network,mount"), 0);
	CU_ASSERT_EQUAL(spec.namespaces, CLONE_NEWNS | CLONE_NEWNET);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .userns = "host"), 0);
	CU_ASSERT_FALSE(spec.namespaces & CLONE_NEWUSER);
	CU_ASSERT_EQUAL(spec.uid_maps.count, 0);
	CU_ASSERT_EQUAL(spec.resources.device_count > 0, geteuid() == 0);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .network = "host"), 0);
	CU_ASSERT_FALSE(spec.namespaces & CLONE_NEWNET);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid,"), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = ""), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid", .read_only = true), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid", .tty = true), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid", .user = "name"), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid", .user = "1:2"), 0);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .namespaces = "pid", .hostname = "x"), -1);
}

TEST(from_flags, environment)
{
	SETUP;
	setenv("COSO_UNIT", "from=here", 1);
	struct strv env = list_of(&arena, "COSO_UNIT", "PATH=/x");
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .env = env, .hostname = "h"), 0);
	CU_ASSERT_STRING_EQUAL(strv_getenv(&spec.process.env, "COSO_UNIT"), "from=here");
	CU_ASSERT_STRING_EQUAL(strv_getenv(&spec.process.env, "PATH"), "/x");
	CU_ASSERT_STRING_EQUAL(strv_getenv(&spec.process.env, "HOSTNAME"), "h");
	unsetenv("COSO_UNIT");
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .env = env, .tty = true), 0);
	CU_ASSERT_PTR_NULL(strv_getenv(&spec.process.env, "COSO_UNIT"));
	CU_ASSERT_STRING_EQUAL(strv_getenv(&spec.process.env, "TERM"), "xterm");
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .env = list_of(&arena, "HOME=/h", NULL)), 0);
	CU_ASSERT_PTR_NULL(spec.home_slot);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .env = list_of(&arena, "=x", NULL)), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .env = list_of(&arena, "", NULL)), -1);
}

TEST(from_flags, capabilities_whatever_their_order)
{
	SETUP;
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .cap_drop = list_of(&arena, "ALL", NULL), .cap_add = list_of(&arena, "CHOWN", NULL)), 0);
	CU_ASSERT_EQUAL(spec.process.caps.effective, 1);
	CU_ASSERT_EQUAL(spec.process.caps.bounding, 1);
	CU_ASSERT_EQUAL(spec.process.caps.ambient, 0);
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .cap_add = list_of(&arena, "ALL", NULL), .cap_drop = list_of(&arena, "cap_chown", NULL)),
			      0);
	CU_ASSERT_FALSE(spec.process.caps.effective & 1);
	CU_ASSERT_TRUE(spec.process.caps.effective & 2);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .cap_add = list_of(&arena, "NOPE", NULL)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "--cap-add"));
}

TEST(from_flags, sysctls_of_its_own_namespaces)
{
	SETUP;
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .sysctl = list_of(&arena, "net.ipv4.ip_forward=1", "kernel.domainname=d")), 0);
	CU_ASSERT_STRING_EQUAL(spec.domainname, "d");
	CU_ASSERT_STRING_EQUAL(spec.sysctl.items[spec.sysctl.count - 1], "net.ipv4.ip_forward=1");
	static const char *const wrong[] = {
		"kernel.core_pattern=x", "vm.overcommit_memory=1", "net", "net.x", "net..x=1", "net/x=1", ".=1",
		"kernel.semx=1",         "kernel.hostname=x",      ""
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CU_ASSERT_EQUAL(SPEC(ALL_NS, .sysctl = list_of(&arena, wrong[i], NULL)), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .network = "host", .sysctl = list_of(&arena, "net.ipv4.ip_forward=1", NULL)), -1);
}

TEST(from_flags, devices_add_to_the_rules)
{
	SETUP;
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .userns = "host", .device = list_of(&arena, "/dev/null:/dev/other:r", NULL)), 0);
	CU_ASSERT_EQUAL_FATAL(spec.device_count, 1);
	CU_ASSERT_STRING_EQUAL(spec.devices[0].path, "/dev/other");
	CU_ASSERT_TRUE(spec.resources.device_count > 1);
	const struct spec_device_rule *last = &spec.resources.devices[spec.resources.device_count - 1];
	CU_ASSERT_TRUE(last->allow && last->type == 'c' && last->major == 1 && last->minor == 3);
	CU_ASSERT_STRING_EQUAL(last->access, "r");
	CU_ASSERT_FALSE(spec.resources.devices[0].allow);
	CU_ASSERT_EQUAL(spec.resources.devices[0].type, 'a');
	CU_ASSERT_FALSE(spec.resources.devices_default);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .device = list_of(&arena, "/etc", NULL)), -1);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .device = list_of(&arena, "null", NULL)), -1);
}

TEST(from_flags, profiles_are_the_ground_flags_stand_on)
{
	SETUP;
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .profile = "barco"), 0);
	CU_ASSERT_EQUAL(spec.resources.memory_limit, 1 << 30);
	CU_ASSERT_EQUAL(spec.resources.cpu_weight, 256);
	CU_ASSERT_EQUAL(spec.resources.pids_limit, 64);
	CU_ASSERT_EQUAL(spec.process.seccomp, SPEC_SECCOMP_BARCO);
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .profile = "barco", .pids_limit = "5", .seccomp = "default"), 0);
	CU_ASSERT_EQUAL(spec.resources.pids_limit, 5);
	CU_ASSERT_EQUAL_FATAL(SPEC(ALL_NS, .profile = "mydocker", .cpu_weight = "50"), 0);
	CU_ASSERT_EQUAL(spec.resources.cpu_weight, 50);
	CU_ASSERT_EQUAL(SPEC(ALL_NS, .profile = "nope"), -1);
}
