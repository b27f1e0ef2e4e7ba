// SPDX-License-Identifier: GPL-2.0-or-later
// spec.h - what to run: the OCI runtime configuration as C data, plus what the engine adds
//
// Every front end makes one of these and the launcher consumes it; nothing else passes between them. All that a spec points at
// lives in its arena (or in argv). Field names and meanings are those of the OCI runtime specification 1.3, config.md and
// config-linux.md, unless a comment says otherwise. An empty list or a NULL means "not set".
#pragma once

#include "shared/arena.h"
#include "shared/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json_t; // jansson's

#define SPEC_ID_MAX 64 // bytes of an id that COSO's own front ends take, without the NUL

enum { SPEC_RLIMITS_MAX = 16 }; // RLIM_NLIMITS of Linux
enum { SPEC_HOME_SLOT = 264 };  // bytes of the environment's entry for HOME

// A number that may well be 0 when it is set.
struct spec_number {
	bool given;
	int64_t value;
};

struct spec_idmap {
	uint32_t container; // first id inside
	uint32_t host;      // first id in the caller's user namespace
	uint32_t size;
};

struct spec_idmaps {
	struct spec_idmap *items;
	size_t count;
};

struct spec_mount {
	const char *type;        // "bind", "tmpfs", "proc", "overlay", …; "cgroup": the container's own groups, on v1 or v2
	const char *source;      // NULL: the type's name
	const char *destination; // absolute, as the container sees it
	const char *key;         // what a checkpoint knows a bind mount by; NULL: its destination
	uint64_t attr_set;       // MOUNT_ATTR_* of mount_setattr(2)
	uint64_t attr_clear;
	uint64_t deep_set; // rro, rnosuid, …: the same, for the mounts below too
	uint64_t deep_clear;
	unsigned long propagation; // MS_PRIVATE, MS_SLAVE, …, with MS_REC; 0: private
	bool recursive;            // rbind
	bool remount;              // what is mounted at the destination already gets attributes and data; `type` may be NULL
	bool optional;             // no error where the kernel or the caller's rights don't allow it
	bool copy_up;              // tmpcopyup: what the image has there is copied into the new tmpfs
	bool copy_symlink;         // copy-symlink: a source that is a symbolic link is made anew as one
	bool source_nofollow;      // src-nofollow: a source that is a symbolic link is itself bound
	bool target_nofollow;      // dest-nofollow
	enum spec_mount_idmap { SPEC_IDMAP_NONE, SPEC_IDMAP_MOUNT, SPEC_IDMAP_TREE } idmap; // idmap, ridmap
	struct spec_idmaps uid_maps, gid_maps; // of the mount; empty with `idmap`: those of the container
	const char *data;                      // what is left of the options, comma-separated, for the file system
};

struct spec_device {
	const char *path;      // in the container
	const char *host_path; // NULL: path
	char type;             // 'c', 'b', 'u' or 'p'
	uint32_t major, minor;
	mode_t mode;       // permission bits
	uint32_t uid, gid; // in the container
};

struct spec_device_rule {
	bool allow;
	char type;            // 'a', 'b' or 'c'
	int64_t major, minor; // -1: all
	const char *access;   // of "rwm"
};

struct spec_rlimit {
	int resource;        // RLIMIT_*
	uint64_t soft, hard; // RLIM_INFINITY: none
};

// A device and a number for it: a weight, or bytes or operations a second.
struct spec_io_rate {
	int64_t major, minor;
	uint64_t value;
};

struct spec_io_rates {
	struct spec_io_rate *items;
	size_t count;
};

struct spec_hugepages {
	const char *size; // "2MB"
	uint64_t limit;   // bytes
};

struct spec_rdma {
	const char *device;
	int64_t handles, objects; // -1: not set
};

struct spec_priority {
	const char *interface;
	uint32_t priority;
};

struct spec_resources {
	int64_t memory_limit; // bytes; 0 not set, -1 unlimited; as the next four
	int64_t memory_swap;  // bytes of memory and swap together
	int64_t memory_reservation;
	int64_t memory_kernel, memory_kernel_tcp;
	struct spec_number memory_swappiness; // 0 to 100
	bool memory_no_oom_killer;
	bool memory_check;            // checkBeforeUpdate: a limit below what is used is refused
	uint64_t cpu_shares;          // v1's unit, 2 to 262144
	uint64_t cpu_weight;          // v2's unit, 1 to 10000; wins over cpu_shares. COSO's own
	int64_t cpu_quota;            // µs of CPU time a period; 0 not set, -1 unlimited
	uint64_t cpu_period;          // µs
	struct spec_number cpu_burst; // µs
	struct spec_number cpu_idle;  // 0 or 1
	int64_t cpu_rt_runtime;       // µs; 0 not set
	uint64_t cpu_rt_period;       // µs
	const char *cpuset_cpus;      // "0-3,7"
	const char *cpuset_mems;
	int64_t pids_limit;    // 0 not set, -1 unlimited
	bool pids_none;        // the limit is 0: nothing may be forked
	uint64_t io_weight;    // v2's unit, 1 to 10000 (blkio's 10 to 1000 times ten). COSO's own
	uint64_t blkio_weight; // blkio's unit, 10 to 1000; 0 not set
	uint64_t blkio_leaf_weight;
	struct spec_io_rates blkio_weights, blkio_leaf_weights; // per device
	struct spec_io_rates read_bps, write_bps, read_iops, write_iops;
	struct spec_hugepages *hugepages;
	size_t hugepage_count;
	uint32_t net_class; // net_cls.classid; 0 not set
	struct spec_priority *net_priorities;
	size_t net_priority_count;
	struct spec_rdma *rdma;
	size_t rdma_count;
	struct strv unified;              // "file=value", v2 only
	struct spec_device_rule *devices; // in order; the last that matches decides
	size_t device_count;
	bool devices_default; // nobody asked for these rules: a host that can't set them goes without. COSO's own
};

// The five sets of capabilities(7), bit n = capability n.
struct spec_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

enum spec_seccomp { SPEC_SECCOMP_DEFAULT, SPEC_SECCOMP_UNCONFINED, SPEC_SECCOMP_BARCO, SPEC_SECCOMP_FILE, SPEC_SECCOMP_JSON };

// sched_setattr(2). `given` false: nothing is changed; as for the next ones.
struct spec_scheduler {
	bool given;
	uint32_t policy; // SCHED_*
	int32_t nice;
	uint32_t priority;
	uint64_t flags;                     // SCHED_FLAG_*
	uint64_t runtime, deadline, period; // ns
};

struct spec_io_priority {
	bool given;
	int class; // IOPRIO_CLASS_*
	int priority;
};

// set_mempolicy(2)
struct spec_memory_policy {
	bool given;
	int mode;          // MPOL_*, with the MPOL_F_* of the flags
	const char *nodes; // "0-3,7"; NULL: none
};

struct spec_process {
	struct strv args, env;
	const char *cwd;
	uint32_t uid, gid;
	uint32_t *groups;
	size_t group_count;
	const char *user; // USER[:GROUP] to be looked up in the container's own files; NULL: uid and gid are final. COSO's own
	bool terminal;
	bool interactive; // stdin is passed on; else it is /dev/null. COSO's own
	bool init;        // COSO's own init is pid 1, reaps, and forwards signals. COSO's own
	bool no_new_privileges;
	struct spec_number umask;     // 022 unless given
	unsigned short rows, columns; // consoleSize; 0: as it comes
	struct spec_number oom_score_adj;
	const char *apparmor_profile, *selinux_label; // NULL: none
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	const char *cpus_initial, *cpus_final; // execCPUAffinity, lists as "0-3,7"
	bool keep_groups;                      // the caller's supplementary groups stay. run.oci.keep_original_groups
	struct spec_caps caps;
	struct spec_rlimit rlimits[SPEC_RLIMITS_MAX];
	size_t rlimit_count;
	enum spec_seccomp seccomp;
	const char *seccomp_file;          // with SPEC_SECCOMP_FILE: a profile in Docker's or the OCI format
	const struct json_t *seccomp_json; // with SPEC_SECCOMP_JSON: linux.seccomp, which lives as long as the spec
	bool seccomp_strict;               // a call that nobody knows is an error. run.oci.seccomp_fail_unknown_syscall
	const char *seccomp_listener;      // listenerPath; NULL: none
	const char *seccomp_metadata;
};

struct spec_root {
	const char *path; // the folder on the host; never written to when overlay is set
	bool overlay;     // lower = path; upper and work are the container's own. COSO's own
	const char *keep; // upper and work live here and stay; NULL: they go with the container. COSO's own
	bool readonly;
	bool checked;              // it must be root's or the caller's, and closed to others. COSO's own
	bool no_pivot;             // move the mount and chroot(2) instead of pivot_root(2)
	unsigned long propagation; // rootfsPropagation: MS_PRIVATE, MS_SLAVE, …, with MS_REC; 0: private
};

struct spec_network {
	const char *executable;  // called as `<path> -pid <pid>`; NULL: none is called
	int timeout_ms;          // for each of its calls; 0: 30 s
	const char *name;        // COSO_NETWORK
	struct strv publish;     // [ip:]host[-end]:container[-end][/proto]
	bool no_metadata;        // COSO_METADATA=no
	const char *resolv_conf; // text of /etc/resolv.conf; NULL: the image's stays
	bool dns_given;          // it was asked for: name servers that the network names don't replace it
	struct strv extra_hosts; // "name:address", checked
};

// An existing namespace that the container is born in.
struct spec_join {
	unsigned long flag; // CLONE_NEW*
	const char *path;
};

// timeOffsets: of "monotonic" and "boottime". time_namespaces(7)
struct spec_time_offset {
	const char *clock;
	int64_t seconds;
	uint32_t nanoseconds;
};

enum spec_hook_kind {
	SPEC_HOOK_PRESTART,
	SPEC_HOOK_CREATE_RUNTIME,
	SPEC_HOOK_CREATE_CONTAINER,
	SPEC_HOOK_START_CONTAINER,
	SPEC_HOOK_POSTSTART,
	SPEC_HOOK_POSTSTOP,
	SPEC_HOOK_KINDS,
};

struct spec_hook {
	const char *path;
	struct strv args; // empty: the path alone
	struct strv env;
	bool env_given; // else it has the runtime's environment, or (startContainer) the container's
	int timeout_s;  // 0: none
};

struct spec_hooks {
	struct spec_hook *items;
	size_t count;
};

struct spec_annotation {
	const char *key, *value;
};

// linux.netDevices: an interface of the host that becomes the container's.
struct spec_net_device {
	const char *host, *name; // name NULL: the same
};

// linux.intelRdt
struct spec_rdt {
	bool given, monitoring;
	const char *class; // closID
	const char *l3_cache, *memory_bandwidth;
	struct strv schemata;
};

enum spec_cgroup_manager { SPEC_CGROUPFS, SPEC_CGROUP_SYSTEMD, SPEC_CGROUP_DISABLED };

struct spec {
	struct arena *arena;
	const char *id; // [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most SPEC_ID_MAX bytes
	const char *name;
	const char *hostname;
	const char *domainname;
	struct spec_process process;
	struct spec_root root;
	struct spec_mount *mounts;
	size_t mount_count;
	unsigned long namespaces; // CLONE_NEW* flags that are new; what is neither new nor joined is shared with the caller
	struct spec_join *joins;
	size_t join_count;
	struct spec_time_offset *time_offsets;
	size_t time_offset_count;
	bool userns_auto; // CLONE_NEWUSER was not asked for by name: without it is fine where it can't be
	struct spec_idmaps uid_maps, gid_maps;
	struct spec_device *devices;
	size_t device_count;
	struct spec_resources resources;
	bool cgroup;              // make a cgroup of the container's own
	const char *cgroups_path; // cgroupsPath; NULL: COSO's own choice
	enum spec_cgroup_manager cgroup_manager;
	struct strv sysctl; // "net.ipv4.ip_forward=1"; '/' stands for a dot in a name: "net.ipv4.conf.eth0/1.forwarding=1"
	struct strv masked_paths, readonly_paths;
	bool etc_files;    // resolv.conf, hosts and hostname are COSO's own. COSO's own
	bool keep_keyring; // --no-new-keyring
	const char *mount_label;
	unsigned long personality; // personality(2); 0: as it is
	struct spec_memory_policy memory_policy;
	struct spec_rdt rdt;
	struct spec_net_device *net_devices;
	size_t net_device_count;
	struct spec_hooks hooks[SPEC_HOOK_KINDS];
	struct spec_annotation *annotations;
	size_t annotation_count;
	const char *oci_version, *bundle; // of a config.json: ociVersion, and its folder, absolute
	struct spec_network network;
	char *home_slot; // entry "HOME=" of process.env, of SPEC_HOME_SLOT bytes, that the launch fills; NULL: HOME is given
	bool detach;
	bool remove; // nothing of a detached container is left once it ended
};
