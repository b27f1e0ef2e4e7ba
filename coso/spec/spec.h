// SPDX-License-Identifier: GPL-2.0-or-later
// spec.h - what to run: the OCI runtime configuration as C data, plus what the engine adds
//
// Every front end makes one of these and the launcher consumes it; nothing else passes between them. All that a spec points at
// lives in its arena (or in argv). Field names and meanings are those of the OCI runtime specification 1.2, config.md and
// config-linux.md, unless a comment says otherwise. An empty list or a NULL means "not set".
#pragma once

#include "shared/arena.h"
#include "shared/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPEC_ID_MAX 64 // bytes of an id, without the NUL

enum { SPEC_RLIMITS_MAX = 16 }; // RLIM_NLIMITS of Linux
enum { SPEC_HOME_SLOT = 264 };  // bytes of the environment's entry for HOME

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
	uint64_t attr_set;       // MOUNT_ATTR_* of mount_setattr(2)
	uint64_t attr_clear;
	unsigned long propagation; // MS_PRIVATE, MS_SLAVE, …, with MS_REC; 0: as it comes
	bool recursive;            // rbind
	bool attr_recursive;       // rro, rnosuid, …: the attributes hold for mounts below too
	bool optional;             // no error where the kernel or the caller's rights don't allow it
	const char *data;          // what is left of the options, comma-separated, for the file system
};

struct spec_device {
	const char *path;      // in the container
	const char *host_path; // NULL: path
	char type;             // 'c', 'b', 'u' or 'p'
	uint32_t major, minor;
	mode_t mode; // permission bits
	uint32_t uid, gid;
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

struct spec_resources {
	int64_t memory_limit; // bytes; 0 not set, -1 unlimited; as the next two
	int64_t memory_swap;  // bytes of memory and swap together
	int64_t memory_reservation;
	uint64_t cpu_shares;     // v1's unit, 2 to 262144
	uint64_t cpu_weight;     // v2's unit, 1 to 10000; wins over cpu_shares. COSO's own
	int64_t cpu_quota;       // µs of CPU time a period; 0 not set, -1 unlimited
	uint64_t cpu_period;     // µs
	const char *cpuset_cpus; // "0-3,7"
	const char *cpuset_mems;
	int64_t pids_limit;               // 0 not set, -1 unlimited
	uint64_t io_weight;               // v2's unit, 1 to 10000 (blkio's 10 to 1000 times ten). COSO's own
	struct strv unified;              // "file=value", v2 only
	struct spec_device_rule *devices; // in order; the last that matches decides
	size_t device_count;
	bool devices_default; // nobody asked for these rules: a host that can't set them goes without. COSO's own
};

// The five sets of capabilities(7), bit n = capability n.
struct spec_caps {
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

enum spec_seccomp { SPEC_SECCOMP_DEFAULT, SPEC_SECCOMP_UNCONFINED, SPEC_SECCOMP_BARCO, SPEC_SECCOMP_FILE };

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
	struct spec_caps caps;
	struct spec_rlimit rlimits[SPEC_RLIMITS_MAX];
	size_t rlimit_count;
	enum spec_seccomp seccomp;
	const char *seccomp_file; // with SPEC_SECCOMP_FILE: a profile in Docker's or the OCI format
};

struct spec_root {
	const char *path; // the folder on the host; never written to when overlay is set
	bool overlay;     // lower = path; upper and work are the container's own. COSO's own
	const char *keep; // upper and work live here and stay; NULL: they go with the container. COSO's own
	bool readonly;
};

struct spec_network {
	const char *executable;  // called as `<path> -pid <pid>`; NULL: none is called
	int timeout_ms;          // for each of its calls; 0: 30 s
	const char *join;        // network namespace to join: a path such as /proc/PID/ns/net; NULL: none
	const char *name;        // COSO_NETWORK
	struct strv publish;     // [ip:]host[-end]:container[-end][/proto]
	const char *resolv_conf; // text of /etc/resolv.conf; NULL: the image's stays
	bool dns_given;          // it was asked for: name servers that the network names don't replace it
	struct strv extra_hosts; // "name:address", checked
};

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
	unsigned long namespaces; // CLONE_NEW* flags that are new; the rest is shared with the caller
	bool userns_auto;         // CLONE_NEWUSER was not asked for by name: without it is fine where it can't be
	struct spec_idmaps uid_maps, gid_maps;
	struct spec_device *devices;
	size_t device_count;
	struct spec_resources resources;
	bool cgroup;        // make a cgroup of the container's own
	struct strv sysctl; // "net.ipv4.ip_forward=1"
	struct strv masked_paths, readonly_paths;
	struct spec_network network;
	char *home_slot; // entry "HOME=" of process.env, of SPEC_HOME_SLOT bytes, that the launch fills; NULL: HOME is given
	bool detach;
	bool remove; // nothing of a detached container is left once it ended
};
