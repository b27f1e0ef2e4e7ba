// SPDX-License-Identifier: GPL-2.0-or-later
// from_flags.c - the spec that a set of flags means
#include "coso/spec/caller.h"
#include "coso/spec/capset.h"
#include "coso/spec/defaults.h"
#include "coso/spec/flags.h"
#include "coso/spec/mountopt.h"
#include "coso/spec/subid.h"
#include "shared/num.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
	const char *name;
	unsigned long flag;
} namespace_names[] = {
	{ "user", CLONE_NEWUSER }, { "pid", CLONE_NEWPID },     { "mount", CLONE_NEWNS },
	{ "mnt", CLONE_NEWNS },    { "network", CLONE_NEWNET }, { "net", CLONE_NEWNET },
	{ "uts", CLONE_NEWUTS },   { "ipc", CLONE_NEWIPC },     { "cgroup", CLONE_NEWCGROUP },
};

static int parse_namespaces(struct arena *arena, const char *text, unsigned long *out, struct err *err)
{
	struct strv words = str_split(arena, text, ',');
	unsigned long all = 0;
	for (size_t i = 0; i < words.count; i++) {
		unsigned long flag = 0;
		for (size_t n = 0; n < sizeof(namespace_names) / sizeof(namespace_names[0]); n++) {
			if (str_eq(words.items[i], namespace_names[n].name))
				flag = namespace_names[n].flag;
		}
		if (!flag)
			return err_set(err, EINVAL, "--ns '%.80s': '%.40s' is none of user, pid, mount, network, uts, ipc, cgroup",
				       text, words.items[i]);
		all |= flag;
	}
	*out = all;
	return 0;
}

static int namespaces(struct spec *spec, const struct flags *flags, struct err *err)
{
	spec->namespaces = (flags->ns_pid ? CLONE_NEWPID : 0) | (flags->ns_mount ? CLONE_NEWNS : 0) |
			   (flags->ns_net ? CLONE_NEWNET : 0) | (flags->ns_uts ? CLONE_NEWUTS : 0) |
			   (flags->ns_ipc ? CLONE_NEWIPC : 0) | (flags->ns_cgroup ? CLONE_NEWCGROUP : 0) | CLONE_NEWUSER;
	spec->userns_auto = !flags->namespaces;
	if (flags->namespaces && parse_namespaces(spec->arena, flags->namespaces, &spec->namespaces, err) < 0)
		return -1;
	if (!(spec->namespaces & CLONE_NEWNS)) {
		if (flags->rootfs || flags->keep || flags->volume.count || flags->mount.count || flags->tmpfs.count ||
		    flags->read_only)
			return err_set(err, EINVAL,
				       "without a mount namespace the host's own files are used: --rootfs, --keep, --volume, "
				       "--mount, --tmpfs and --read-only can't be had");
		if (flags->user && flags->user[strspn(flags->user, "0123456789:")])
			return err_set(err, EINVAL, "--user '%.80s': without a mount namespace only numbers serve", flags->user);
	}
	return 0;
}

static int user_namespace(struct spec *spec, const struct flags *flags, struct err *err)
{
	const char *how = flags->userns ? flags->userns : "auto";
	bool mapped = flags->uidmap.count || flags->gidmap.count;
	if (str_eq(how, "host")) {
		if (mapped)
			return err_set(err, EINVAL, "--userns host: --uidmap and --gidmap need a user namespace");
		spec->namespaces &= ~(unsigned long)CLONE_NEWUSER;
		return 0;
	}
	if (flags->userns && !str_eq(how, "auto")) {
		if (mapped)
			return err_set(err, EINVAL, "--userns '%.80s': it is a map already; leave out --uidmap and --gidmap", how);
		if (subid_parse_map(spec->arena, "--userns", how, &spec->uid_maps, err) < 0 ||
		    subid_parse_map(spec->arena, "--userns", how, &spec->gid_maps, err) < 0)
			return err_hint(err, "auto, host, or a map CONTAINER:HOST:SIZE");
	}
	for (size_t i = 0; i < flags->uidmap.count; i++) {
		if (subid_parse_map(spec->arena, "--uidmap", flags->uidmap.items[i], &spec->uid_maps, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < flags->gidmap.count; i++) {
		if (subid_parse_map(spec->arena, "--gidmap", flags->gidmap.items[i], &spec->gid_maps, err) < 0)
			return -1;
	}
	const char *what = flags->uidmap.count ? "--uidmap" : flags->gidmap.count ? "--gidmap" : "--userns";
	if (spec->uid_maps.count && subid_check_root(what, &spec->uid_maps, err) < 0)
		return -1;
	if (spec->gid_maps.count && subid_check_root(flags->gidmap.count ? "--gidmap" : what, &spec->gid_maps, err) < 0)
		return -1;
	if (spec->uid_maps.count || spec->gid_maps.count) {
		if (!spec->uid_maps.count)
			spec->uid_maps = spec->gid_maps;
		if (!spec->gid_maps.count)
			spec->gid_maps = spec->uid_maps;
		spec->namespaces |= CLONE_NEWUSER;
		spec->userns_auto = false;
		return 0;
	}
	if (!(spec->namespaces & CLONE_NEWUSER))
		return 0;
	const struct caller caller = caller_look();
	if (caller.privileged)
		subid_root_maps(spec->arena, spec->id, &spec->uid_maps, &spec->gid_maps);
	else
		subid_own_maps(spec->arena, &spec->uid_maps, &spec->gid_maps);
	spec->userns_auto = spec->userns_auto && caller.privileged; // nobody else can do anything without one
	return 0;
}

static int environment(struct spec *spec, const struct flags *flags, struct err *err)
{
	struct spec_process *p = &spec->process;
	struct arena *a = spec->arena;
	strv_push(a, &p->env, "PATH=" DEFAULTS_PATH);
	if (spec->hostname)
		strv_push(a, &p->env, arena_printf(a, "HOSTNAME=%s", spec->hostname));
	if (p->terminal)
		strv_push(a, &p->env, "TERM=xterm");
	for (size_t i = 0; i < flags->env.count; i++) {
		const char *entry = flags->env.items[i];
		if (!*entry || *entry == '=')
			return err_set(err, EINVAL, "--env '%.80s': the name is empty", entry);
		if (!strchr(entry, '=')) { // the caller's own value, as Docker has it
			const char *value = getenv(entry);
			if (!value)
				continue;
			entry = arena_printf(a, "%s=%s", entry, value);
		}
		strv_setenv(a, &p->env, entry);
	}
	if (!strv_getenv(&p->env, "HOME")) {
		spec->home_slot = arena_alloc(a, SPEC_HOME_SLOT);
		memcpy(spec->home_slot, "HOME=", sizeof("HOME="));
		strv_push(a, &p->env, spec->home_slot);
	}
	return 0;
}

static int capabilities(struct spec_process *p, const struct flags *flags, bool barco, struct err *err)
{
	p->caps = barco ? capset_barco() : capset_default();
	// ALL first, whatever its place: "--cap-add X --cap-drop ALL" leaves X, as Docker has it.
	for (size_t i = 0; i < flags->cap_drop.count; i++) {
		if (capset_drop(&p->caps, flags->cap_drop.items[i], err) < 0)
			return err_wrap(err, "--cap-drop");
	}
	for (size_t i = 0; i < flags->cap_add.count; i++) {
		if (capset_add(&p->caps, flags->cap_add.items[i], err) < 0)
			return err_wrap(err, "--cap-add");
	}
	for (size_t i = 0; i < flags->cap_drop.count; i++) {
		const char *name = flags->cap_drop.items[i];
		if (capset_number(name) >= 0 && capset_drop(&p->caps, name, err) < 0)
			return -1;
	}
	return 0;
}

static int process(struct spec *spec, const struct flags *flags, struct err *err)
{
	static char *const shell[] = { (char *)"/bin/sh", NULL };
	struct spec_process *p = &spec->process;
	bool barco = str_eq(flags->profile, "barco");
	for (char *const *word = flags->command && *flags->command ? flags->command : shell; *word; word++)
		strv_push(spec->arena, &p->args, *word);
	p->cwd = flags->workdir;
	if (p->cwd && p->cwd[0] != '/')
		return err_set(err, EINVAL, "--workdir '%.200s': not an absolute path", p->cwd);
	p->user = flags->user;
	p->terminal = flags->tty;
	p->interactive = flags->interactive;
	p->init = flags->init;
	p->no_new_privileges = flags->no_new_privileges;
	p->seccomp = barco ? SPEC_SECCOMP_BARCO : SPEC_SECCOMP_DEFAULT;
	if (str_eq(flags->seccomp, "unconfined"))
		p->seccomp = SPEC_SECCOMP_UNCONFINED;
	else if (flags->seccomp && !str_eq(flags->seccomp, "default")) {
		p->seccomp = SPEC_SECCOMP_FILE;
		p->seccomp_file = flags->seccomp;
	}
	if (p->terminal && !(spec->namespaces & CLONE_NEWNS))
		return err_set(err, EINVAL, "--tty: the terminal is made in the container's /dev, which needs a mount namespace");
	if (capabilities(p, flags, barco, err) < 0 || flags_ulimits(&flags->ulimit, p, err) < 0)
		return -1;
	return environment(spec, flags, err);
}

// Only what belongs to the container's own namespaces may be set; anything else would change the host.
static int sysctls(struct spec *spec, const struct flags *flags, struct err *err)
{
	static const struct {
		const char *prefix;
		unsigned long flag;
	} own[] = {
		{ "net.", CLONE_NEWNET },        { "kernel.shm", CLONE_NEWIPC }, { "kernel.msg", CLONE_NEWIPC },
		{ "kernel.sem=", CLONE_NEWIPC }, { "fs.mqueue.", CLONE_NEWIPC }, { "kernel.domainname=", CLONE_NEWUTS },
	};
	if ((spec->namespaces & CLONE_NEWNET) && (spec->namespaces & CLONE_NEWNS))
		defaults_ping(spec);
	for (size_t i = 0; i < flags->sysctl.count; i++) {
		const char *text = flags->sysctl.items[i];
		bool known = false;
		if (!strchr(text, '=') || strstr(text, "..") || strchr(text, '/') || *text == '.')
			return err_set(err, EINVAL, "--sysctl '%.80s': not NAME=VALUE with a name such as net.core.somaxconn",
				       text);
		for (size_t n = 0; n < sizeof(own) / sizeof(own[0]); n++)
			known = known || (str_starts(text, own[n].prefix) && (spec->namespaces & own[n].flag));
		if (!known)
			return err_set(
				err, EPERM,
				"--sysctl '%.80s': it belongs to no namespace of this container, so it would change the host",
				text);
		if (str_starts(text, "kernel.domainname=")) { // its file is the host's root's alone; setdomainname(2) isn't
			spec->domainname = text + strlen("kernel.domainname=");
			continue;
		}
		if (!(spec->namespaces & CLONE_NEWNS))
			return err_set(err, EINVAL, "--sysctl '%.80s': it needs a mount namespace", text);
		strv_push(spec->arena, &spec->sysctl, text);
	}
	return 0;
}

static void join_network(struct spec *spec, const char *path)
{
	spec->namespaces &= ~(unsigned long)CLONE_NEWNET;
	spec->joins = arena_grow(spec->arena, spec->joins, spec->join_count, sizeof(*spec->joins));
	spec->joins[spec->join_count++] = (struct spec_join){ CLONE_NEWNET, path };
}

static int network(struct spec *spec, const struct flags *flags, struct err *err)
{
	struct spec_network *n = &spec->network;
	bool own = spec->namespaces & CLONE_NEWNET;
	const char *name = flags->network ? flags->network : "none";
	if (str_eq(name, "host"))
		spec->namespaces &= ~(unsigned long)CLONE_NEWNET, own = false;
	else if (flags->network_join)
		join_network(spec, flags->network_join), own = false;
	else if (own && !str_eq(name, "none"))
		n->executable = name;
	n->name = name;
	const char *joined = own || flags->network_join ? name : "host";
	if (flags->network_timeout) {
		uint64_t seconds;
		if (num_u64("--network-timeout", flags->network_timeout, 1, 3600, &seconds, err) < 0)
			return -1;
		n->timeout_ms = (int)seconds * 1000;
	}
	n->publish = flags->publish;
	if (n->publish.count && !n->executable)
		return err_set(err, EINVAL, "--publish '%.80s': there is no network to publish from (--network %s)",
			       n->publish.items[0], joined);
	n->no_metadata = flags->no_metadata;
	if (n->no_metadata && !n->executable)
		return err_set(err, EINVAL, "--no-metadata: there is no network to keep it from (--network %s)", joined);
	for (size_t i = 0; i < flags->add_host.count; i++) {
		const char *text = flags->add_host.items[i], *colon = strchr(text, ':');
		struct num_cidr address;
		if (!colon || colon == text || text[strcspn(text, " \t\r\n#")] || strchr(colon, '/') ||
		    num_cidr("--add-host", colon + 1, &address, err) < 0)
			return err_set(err, EINVAL, "--add-host '%.80s': not NAME:ADDRESS", text);
		strv_push(spec->arena, &n->extra_hosts, text);
	}
	n->dns_given = flags->dns.count > 0;
	return flags_resolv_conf(spec->arena, &flags->dns, !own && !flags->network_join, &n->resolv_conf, err);
}

static size_t depth(const struct spec_mount *mount)
{
	size_t count = 0;
	for (const char *c = mount->destination; *c; c++)
		count += *c == '/' && c[1] && c[1] != '/';
	return count;
}

// What is nearer to the root is mounted first, so that no mount hides another; else the order of the flags, kind by kind.
static void sort_mounts(struct spec_mount *mounts, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct spec_mount mount = mounts[i];
		size_t at = i;
		for (; at > 0 && depth(&mounts[at - 1]) > depth(&mount); at--)
			mounts[at] = mounts[at - 1];
		mounts[at] = mount;
	}
}

static int file_systems(struct spec *spec, const struct flags *flags, struct err *err)
{
	spec->root = (struct spec_root){
		.path = flags->rootfs, .overlay = true, .checked = true, .keep = flags->keep, .readonly = flags->read_only
	};
	spec->etc_files = true;
	if (!(spec->namespaces & CLONE_NEWNS))
		return 0;
	defaults_mounts(spec);
	defaults_masks(spec);
	size_t standard = spec->mount_count;
	for (size_t i = 0; i < flags->tmpfs.count; i++) {
		if (mountopt_tmpfs(spec, flags->tmpfs.items[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < flags->mount.count; i++) {
		if (mountopt_mount(spec, flags->mount.items[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < flags->volume.count; i++) {
		if (mountopt_volume(spec, flags->volume.items[i], err) < 0)
			return -1;
	}
	sort_mounts(spec->mounts + standard, spec->mount_count - standard);
	return 0;
}

// Limits of a named profile; what flags say on top of it wins.
static int profile(const struct flags *flags, struct spec_resources *r, struct err *err)
{
	if (!flags->profile || str_eq(flags->profile, "default"))
		return 0;
	r->memory_limit = 1 << 30;
	r->pids_limit = 64;
	if (str_eq(flags->profile, "barco")) {
		r->cpu_weight = 256;
		return 0;
	}
	if (!str_eq(flags->profile, "mydocker"))
		return err_set(err, EINVAL, "--profile '%.80s': none of default, barco, mydocker", flags->profile);
	r->cpu_shares = 256; // 25 %
	r->io_weight = 100;  // blkio's 10
	return 0;
}

static bool is_hostname(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= 64 && text[0] != '-' && text[0] != '.' &&
	       !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")];
}

static const char *host_name(struct arena *arena)
{
	struct utsname host;
	return uname(&host) == 0 ? arena_strdup(arena, host.nodename) : NULL;
}

int flags_to_spec(struct arena *arena, const struct flags *flags, const char *id, struct spec *out_spec, struct err *err)
{
	struct spec spec = {
		.arena = arena, .id = id, .name = flags->name ? flags->name : id, .detach = flags->detach, .remove = flags->remove
	};
	spec.hostname = flags->hostname ? flags->hostname : strlen(id) <= 64 ? id : NULL;
	if (flags->hostname && !is_hostname(flags->hostname))
		return err_set(err, EINVAL, "--hostname '%.80s': not a host name of at most 64 letters, digits, '.' and '-'",
			       flags->hostname);
	if (namespaces(&spec, flags, err) < 0)
		return -1;
	if (flags->hostname && !(spec.namespaces & CLONE_NEWUTS))
		return err_set(err, EINVAL, "--hostname '%.80s': without a UTS namespace it would be the host's", flags->hostname);
	if (!(spec.namespaces & CLONE_NEWUTS))
		spec.hostname = host_name(arena);
	if (user_namespace(&spec, flags, err) < 0 || network(&spec, flags, err) < 0 || file_systems(&spec, flags, err) < 0 ||
	    process(&spec, flags, err) < 0 || sysctls(&spec, flags, err) < 0 || flags_devices(flags, &spec, err) < 0)
		return -1;
	if (profile(flags, &spec.resources, err) < 0 || flags_resources(flags, &spec.resources, err) < 0)
		return -1;
	spec.cgroup = caller_look().privileged || spec.resources.memory_limit || spec.resources.pids_limit ||
		      spec.resources.cpu_quota || spec.resources.cpu_shares || spec.resources.cpu_weight ||
		      spec.resources.io_weight || spec.resources.cpuset_cpus || spec.resources.cpuset_mems ||
		      spec.resources.memory_swap || spec.resources.memory_reservation || spec.resources.device_count;
	if (!flags->ns_pid && !flags->namespaces && !spec.cgroup) {
		err_set(err, EINVAL, "--pid=false: without a control group nobody could end what the program leaves running");
		return err_hint(
			err,
			"leave it out, or run coso as root; where control groups are delegated to you, --pids-limit makes one");
	}
	*out_spec = spec;
	return 0;
}
