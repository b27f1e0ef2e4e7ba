// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci_golden_test.c - whole configurations: what engines wrote (shortened), what `spec` writes, and one with everything in it
#include "coso/launch/seccomp.h"
#include "coso/oci/features.h"
#include "coso/oci/spec_file.h"
#include "coso/spec/caller.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/sys.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FOLDER "tests/fuzz/corpus/config/"
#define QUIET (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

// A file's spec, and its tree, which the caller frees.
static struct spec read_file(struct arena *arena, const char *path, json_t **out_tree)
{
	struct spec spec;
	struct err err = { 0 };
	size_t size = 0;
	enum log_level level = log_level();
	const char *text = file_read(arena, AT_FDCWD, path, FILE_CONFIG, &size, &err);
	json_t *tree = text ? oci_json_parse(path, text, size, &err) : NULL;
	log_setup("coso", LOG_LEVEL_QUIET); // capabilities that this host can't grant
	int result = tree ? oci_to_spec(arena, tree, "/bundle", "c1", &spec, &err) : -1;
	log_setup("coso", level);
	if (result < 0) {
		printf("\n%s", err.msg);
		CU_FAIL_FATAL("a configuration that is right");
		__builtin_unreachable();
	}
	*out_tree = tree;
	return spec;
}

static const struct spec_mount *find_mount(const struct spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		if (str_eq(spec->mounts[i].destination, destination))
			return &spec->mounts[i];
	}
	CU_FAIL_FATAL("no such mount");
	return NULL;
}

static void check_filter(const struct spec *spec)
{
	struct seccomp seccomp = { 0 };
	struct err err = { 0 };
	CU_ASSERT_EQUAL(seccomp_prepare(&spec->process, -1, &seccomp, &err), 0);
	CU_ASSERT_STRING_EQUAL(err.msg, "");
	CU_ASSERT_TRUE(seccomp.program.len > 10);
	seccomp_free(&seccomp);
}

TEST(from_oci_golden, docker)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = read_file(&arena, FOLDER "docker.json", &tree);
	const struct spec_process *p = &spec.process;
	CU_ASSERT_STRING_EQUAL(spec.root.path, "/var/lib/docker/overlay2/l1/merged");
	CU_ASSERT_TRUE(spec.root.readonly && p->terminal && p->no_new_privileges && p->uid == 1000 && p->group_count == 2);
	CU_ASSERT_TRUE(p->rlimits[0].resource == RLIMIT_CORE && p->rlimits[0].hard == RLIM_INFINITY);
	CU_ASSERT_TRUE(p->rlimits[1].resource == RLIMIT_NOFILE && p->rlimits[1].soft == 64 && p->rlimits[1].hard == 128);
	CU_ASSERT_TRUE(p->oom_score_adj.given && p->oom_score_adj.value == 100);
	CU_ASSERT_TRUE((p->caps.bounding >> CAP_CHOWN & 1) && p->caps.permitted == 0);
	CU_ASSERT_EQUAL(spec.namespaces, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC);
	CU_ASSERT_TRUE(spec.join_count == 1 && spec.joins[0].flag == CLONE_NEWNET);
	CU_ASSERT_EQUAL(spec.mount_count, 13);
	CU_ASSERT_EQUAL(find_mount(&spec, "/sys/fs/cgroup")->attr_set, QUIET | MOUNT_ATTR_RDONLY);
	CU_ASSERT_STRING_EQUAL(find_mount(&spec, "/dev/pts")->data, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	const struct spec_mount *data = find_mount(&spec, "/data");
	CU_ASSERT_TRUE(data->recursive && data->propagation == (MS_PRIVATE | MS_REC) && data->attr_set == MOUNT_ATTR_RDONLY &&
		       !data->data);
	CU_ASSERT_TRUE(spec.resources.memory_limit == 64 << 20 && spec.resources.memory_swap == 128 << 20);
	CU_ASSERT_TRUE(spec.resources.cpu_quota == 50000 && spec.resources.cpu_shares == 0 && spec.resources.blkio_weight == 0);
	CU_ASSERT_EQUAL(spec.resources.read_bps.count, 1);
	CU_ASSERT_TRUE(spec.device_count == 1 && spec.devices[0].mode == 0600);
	CU_ASSERT_STRING_EQUAL(spec.sysctl.items[0], "kernel.shmmax=1000000");
	CU_ASSERT_STRING_EQUAL(spec.cgroups_path, "/docker/c1");
	CU_ASSERT_TRUE(spec.masked_paths.count == 10 && spec.readonly_paths.count == 5);
	CU_ASSERT_PTR_NOT_NULL(spec.home_slot);
	check_filter(&spec);
	json_decref(tree);
}

TEST(from_oci_golden, docker_privileged)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = read_file(&arena, FOLDER "docker-privileged.json", &tree);
	CU_ASSERT_EQUAL(spec.process.seccomp, SPEC_SECCOMP_UNCONFINED);
	CU_ASSERT_EQUAL(spec.masked_paths.count, 0);
	CU_ASSERT_FALSE(oci_has(&spec, CLONE_NEWPID) || oci_has(&spec, CLONE_NEWIPC) || oci_has(&spec, CLONE_NEWUTS));
	const struct spec_device_rule *rule = &spec.resources.devices[1];
	CU_ASSERT_TRUE(rule->allow && rule->type == 'a');
	json_decref(tree);
}

TEST(from_oci_golden, podman)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = read_file(&arena, FOLDER "podman.json", &tree);
	CU_ASSERT_TRUE(spec.process.keep_groups && spec.process.umask.given && spec.process.umask.value == 022);
	CU_ASSERT_STRING_EQUAL(spec.process.args.items[0], "/run/podman-init");
	const struct spec_mount *m = find_mount(&spec, "/run");
	CU_ASSERT_TRUE(m->copy_up && m->propagation == (MS_PRIVATE | MS_REC) && m->attr_clear == MOUNT_ATTR_RDONLY);
	CU_ASSERT_EQUAL(find_mount(&spec, "/etc/hosts")->attr_set, QUIET | MOUNT_ATTR_RDONLY);
	CU_ASSERT_TRUE(spec.device_count == 1 && spec.devices[0].mode == 0600); // its fileMode has the type's bits in it
	CU_ASSERT_EQUAL(spec.resources.pids_limit, 100);
	CU_ASSERT_EQUAL(spec.annotation_count, 10);
	check_filter(&spec);
	json_decref(tree);
}

TEST(from_oci_golden, podman_with_a_user_namespace)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = read_file(&arena, FOLDER "podman-userns.json", &tree);
	CU_ASSERT_TRUE(spec.namespaces & CLONE_NEWUSER);
	CU_ASSERT_TRUE(spec.uid_maps.count == 1 && spec.uid_maps.items[0].host == 100000 && spec.gid_maps.items[0].size == 65536);
	CU_ASSERT_STRING_EQUAL(spec.sysctl.items[0], "net.ipv4.ping_group_range=0 0");
	CU_ASSERT_EQUAL(spec.process.umask.value, 077);
	CU_ASSERT_TRUE(spec.resources.devices_default);
	json_decref(tree);
}

// Each property that there is reaches the spec.
TEST(from_oci_golden, everything)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = read_file(&arena, FOLDER "everything.json", &tree);
	const struct spec_process *p = &spec.process;
	const struct spec_resources *r = &spec.resources;
	CU_ASSERT_TRUE(p->terminal && p->rows == 25 && p->columns == 80 && p->uid == 1 && p->gid == 2 && p->umask.value == 077);
	CU_ASSERT_TRUE(p->group_count == 2 && p->keep_groups && p->scheduler.policy == 6 && p->io_priority.priority == 4);
	CU_ASSERT_TRUE(p->caps.ambient == 1 << CAP_CHOWN && p->rlimit_count == 2 && p->oom_score_adj.value == -100);
	CU_ASSERT_TRUE(p->apparmor_profile && p->selinux_label && p->cpus_initial && p->cpus_final && p->no_new_privileges);
	CU_ASSERT_TRUE(p->env.count == 4 && str_eq(p->env.items[1], "A=2") && str_eq(p->env.items[3], "HOME="));
	CU_ASSERT_TRUE(spec.mount_count == 5 && spec.mounts[2].idmap == SPEC_IDMAP_MOUNT &&
		       spec.mounts[2].uid_maps.items[0].host == 1000);
	CU_ASSERT_TRUE(spec.mounts[3].idmap == SPEC_IDMAP_TREE && spec.mounts[3].uid_maps.items[0].host == 100001);
	CU_ASSERT_TRUE(spec.mounts[3].gid_maps.count == 2 && spec.mounts[3].source_nofollow && spec.mounts[4].remount);
	for (size_t kind = 0; kind < SPEC_HOOK_KINDS; kind++)
		CU_ASSERT_TRUE(spec.hooks[kind].count > 0);
	CU_ASSERT_TRUE(spec.join_count == 1 && spec.gid_maps.count == 2 && spec.time_offset_count == 2 && spec.device_count == 4);
	CU_ASSERT_TRUE(spec.net_device_count == 2 && spec.annotation_count == 3 && spec.sysctl.count == 3 && spec.personality == 8);
	CU_ASSERT_TRUE(r->unified.count == 2 && r->pids_none && r->blkio_weights.count == 1 && r->blkio_leaf_weights.count == 2);
	CU_ASSERT_TRUE(r->write_bps.items[0].value == UINT64_MAX && r->hugepages[0].limit == UINT64_C(1) << 63);
	CU_ASSERT_TRUE(r->net_class == 1048577 && r->net_priority_count == 1 && r->rdma_count == 2 && r->cpu_idle.value == 1);
	CU_ASSERT_TRUE(r->memory_kernel == -1 && r->memory_kernel_tcp == -1 && r->memory_no_oom_killer && r->memory_check);
	CU_ASSERT_TRUE(spec.rdt.given && spec.rdt.schemata.count == 1 && spec.memory_policy.given && spec.mount_label);
	CU_ASSERT_EQUAL(spec.root.propagation, MS_SLAVE | MS_REC);
	CU_ASSERT_STRING_EQUAL(p->seccomp_listener, "/bundle/agent.sock");
	check_filter(&spec);
	json_decref(tree);
}

// What `spec` writes in a new folder.
static struct spec written(struct arena *arena, bool rootless, json_t **out_tree)
{
	char folder[] = "/tmp/oci-spec-test.XXXXXX";
	struct err err = { 0 };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
	CU_ASSERT_EQUAL(oci_spec_write(folder, rootless, &err), 0);
	const char *path = arena_printf(arena, "%s/config.json", folder);
	struct spec spec = read_file(arena, path, out_tree);
	CU_ASSERT_EQUAL(oci_spec_write(folder, rootless, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "File config.json exists. Remove it first");
	unlink(path);
	CU_ASSERT_EQUAL(rmdir(folder), 0);
	CU_ASSERT_EQUAL(oci_spec_write(folder, rootless, &err), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, folder));
	return spec;
}

TEST(from_oci_golden, what_spec_writes)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = written(&arena, false, &tree);
	const uint64_t few = UINT64_C(1) << CAP_AUDIT_WRITE | 1 << CAP_KILL | 1 << CAP_NET_BIND_SERVICE;
	const struct spec_process *p = &spec.process;
	CU_ASSERT_STRING_EQUAL(spec.oci_version, "1.3.0");
	CU_ASSERT_TRUE(p->terminal && p->no_new_privileges && p->uid == 0 && str_eq(p->args.items[0], "sh") && str_eq(p->cwd, "/"));
	CU_ASSERT_TRUE(p->rlimit_count == 1 && p->rlimits[0].hard == 1024);
	CU_ASSERT_EQUAL(p->caps.bounding & ~few, 0);
	CU_ASSERT_EQUAL(p->caps.inheritable | p->caps.ambient, 0);
	CU_ASSERT_TRUE(spec.root.readonly && str_eq(spec.root.path, "/bundle/rootfs") && str_eq(spec.hostname, "coso"));
	CU_ASSERT_EQUAL(spec.mount_count, 7);
	CU_ASSERT_EQUAL(spec.namespaces & ~(unsigned long)CLONE_NEWCGROUP,
			CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS);
	CU_ASSERT_TRUE(spec.masked_paths.count >= 10 && spec.readonly_paths.count >= 5);
	CU_ASSERT_EQUAL(spec.resources.devices_default, !caller_look().privileged);
	CU_ASSERT_PTR_NOT_NULL(json_object_get(json_object_get(tree, "linux"), "resources"));
	json_decref(tree);
}

TEST(from_oci_golden, what_spec_writes_for_an_ordinary_user)
{
	own_arena struct arena arena = { 0 };
	json_t *tree;
	struct spec spec = written(&arena, true, &tree);
	CU_ASSERT_FALSE(oci_has(&spec, CLONE_NEWNET));
	CU_ASSERT_TRUE(spec.namespaces & CLONE_NEWUSER);
	CU_ASSERT_TRUE(spec.uid_maps.count == 1 && spec.uid_maps.items[0].host == geteuid() && spec.uid_maps.items[0].size == 1);
	CU_ASSERT_EQUAL(spec.gid_maps.items[0].host, getegid());
	const struct spec_mount *m = find_mount(&spec, "/sys");
	CU_ASSERT_TRUE(str_eq(m->type, "bind") && m->recursive && str_eq(m->source, "/sys") &&
		       m->attr_set == (QUIET | MOUNT_ATTR_RDONLY));
	CU_ASSERT_STRING_EQUAL(find_mount(&spec, "/dev/pts")->data, "newinstance,ptmxmode=0666,mode=0620");
	CU_ASSERT_PTR_NULL(json_object_get(json_object_get(tree, "linux"), "resources"));
	json_decref(tree);
}

static bool reads(const char *text)
{
	own_arena struct arena arena = { 0 };
	struct spec spec;
	struct err err;
	enum log_level level = log_level();
	log_setup("coso", LOG_LEVEL_QUIET);
	int result = sample_read(&arena, text, &spec, &err);
	log_setup("coso", level);
	return result == 0;
}

// features.md: "The runtime MUST recognize the elements": each name of a list in its place.
static void check_list(const json_t *features, const char *group, const char *key, const char *format)
{
	own_arena struct arena arena = { 0 };
	const json_t *of = json_object_get(features, "linux");
	const json_t *list = json_object_get(group ? json_object_get(of, group) : of, key), *name;
	size_t i;
	CU_ASSERT_TRUE(json_array_size(list) > 0);
	json_array_foreach(list, i, name) {
		char *text = arena_strdup(&arena, format), *at = strchr(text, '@');
		*at = '\0';
		text = arena_printf(&arena, "%s%s%s", text, json_string_value(name), at + 1);
		if (!reads(text))
			CU_FAIL(text);
	}
}

TEST(from_oci_golden, features_are_what_is_read) // FE-02 to FE-08
{
	json_auto_t *features = oci_features();
	const json_t *of = json_object_get(features, "linux");
	size_t i;
	const json_t *name;
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(features, "ociVersionMin")), "1.0.0");
	CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(features, "ociVersionMax")), "1.3.0");
	CU_ASSERT_TRUE(reads("{'ociVersion':'1.0.0','root':{'path':'r'}}") && reads("{'ociVersion':'1.3.0','root':{'path':'r'}}"));
	CU_ASSERT_EQUAL(json_array_size(json_object_get(features, "hooks")), SPEC_HOOK_KINDS);
	check_list(features, NULL, "namespaces", SAMPLE_LINUX("'namespaces':[{'type':'@','path':'/p'}],"));
	check_list(features, NULL, "capabilities", SAMPLE_PROCESS("'capabilities':{'bounding':['@']},"));
	check_list(features, "memoryPolicy", "flags",
		   SAMPLE_LINUX("'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0','flags':['@']},"));
	json_array_foreach(json_object_get(json_object_get(of, "memoryPolicy"), "modes"), i, name) {
		own_arena struct arena arena = { 0 };
		const char *mode = json_string_value(name);
		CU_ASSERT_TRUE(reads(arena_printf(&arena, SAMPLE_LINUX("'memoryPolicy':{'mode':'%s','nodes':'0'},"), mode)) ||
			       reads(arena_printf(&arena, SAMPLE_LINUX("'memoryPolicy':{'mode':'%s'},"), mode)));
	}
	json_array_foreach(json_object_get(features, "mountOptions"), i, name) {
		own_arena struct arena arena = { 0 };
		const char *word = json_string_value(name);
		if (!reads(arena_printf(&arena,
					SAMPLE("'linux':{'namespaces':[{'type':'user','path':'/p'}]},'mounts':[{'destination':'/a',"
					       "'source':'s','type':'tmpfs','options':['%s']}],"),
					word)))
			CU_FAIL(word);
	}
	CU_ASSERT_EQUAL(json_array_size(json_object_get(json_object_get(of, "seccomp"), "archs")), 23);
	CU_ASSERT_TRUE(json_is_true(json_object_get(json_object_get(json_object_get(of, "mountExtensions"), "idmap"), "enabled")));
}
