// SPDX-License-Identifier: GPL-2.0-or-later
// classic.c - coso [--rootfs DIR] [--network EXE] [FLAGS] [COMMAND…], and `coso explain` over the same flags
#include "coso/cli/cli.h"
#include "coso/engine/claim.h"
#include "coso/engine/gc.h"
#include "coso/engine/place.h"
#include "coso/engine/run.h"
#include "coso/engine/state.h"
#include "coso/launch/launch.h"
#include "coso/launch/selfexe.h"
#include "coso/spec/caller.h"
#include "coso/spec/flags.h"
#include "shared/fd.h"
#include "shared/installed.h"
#include "shared/log.h"
#include "shared/opts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Set for ourselves when a launch has shown that this host gives no user namespaces, and we run again without.
static const char no_userns[] = "COSO_WITHOUT_USERNS";

struct classic {
	struct flags flags;
	const char *root, *pid_file, *trace, *mount_rootfs;
	bool verbose, quiet, debug, help, version, user_ignored;
};

#define FLAG(field) offsetof(struct classic, field)

static const struct opt table[] = {
	{ "rootfs", 0, OPT_TEXT, FLAG(flags.rootfs), "DIR", "root file system (/tmp/coso/rootfs); it is never written" },
	{ "network", 0, OPT_TEXT, FLAG(flags.network), "EXE",
	  "program called as EXE -pid PID (cosonet), or none, host, container:ID" },
	{ "network-timeout", 0, OPT_TEXT, FLAG(flags.network_timeout), "SECONDS", "how long that program may take (30)" },
	{ "env", 'e', OPT_LIST, FLAG(flags.env), "NAME[=VALUE]", "set a variable, or pass the caller's" },
	{ "workdir", 'w', OPT_TEXT, FLAG(flags.workdir), "DIR", "working folder" },
	{ "user", 'u', OPT_TEXT, FLAG(flags.user), "USER[:GROUP]", "run as this user of the container" },
	{ "hostname", 0, OPT_TEXT, FLAG(flags.hostname), "NAME", "host name (the id)" },
	{ "read-only", 0, OPT_FLAG, FLAG(flags.read_only), NULL, "make the root file system read-only" },
	{ "tmpfs", 0, OPT_LIST, FLAG(flags.tmpfs), "DIR[:OPTIONS]", "mount a tmpfs" },
	{ "volume", 0, OPT_LIST, FLAG(flags.volume), "SRC:DST[:OPTIONS]", "bind a file or folder of the host" },
	{ "mount", 0, OPT_LIST, FLAG(flags.mount), "type=T,src=S,dst=D", "mount a file system of any type" },
	{ "keep", 0, OPT_TEXT, FLAG(flags.keep), "DIR", "keep what the container writes in DIR, and start from it" },
	{ "cap-add", 0, OPT_LIST, FLAG(flags.cap_add), "CAP", "add a capability, or ALL" },
	{ "cap-drop", 0, OPT_LIST, FLAG(flags.cap_drop), "CAP", "drop a capability, or ALL" },
	{ "seccomp", 0, OPT_TEXT, FLAG(flags.seccomp), "FILE", "system call filter: a profile's file, default, or unconfined" },
	{ "no-new-privileges", 0, OPT_FLAG, FLAG(flags.no_new_privileges), NULL, "set-user-id programs gain nothing" },
	{ "profile", 0, OPT_TEXT, FLAG(flags.profile), "NAME", "limits, capabilities and filter by name: barco, mydocker" },
	{ "memory", 'm', OPT_TEXT, FLAG(flags.memory), "SIZE", "memory limit, such as 512m" },
	{ "memory-swap", 0, OPT_TEXT, FLAG(flags.memory_swap), "SIZE", "limit of memory and swap together, or -1" },
	{ "memory-reservation", 0, OPT_TEXT, FLAG(flags.memory_reservation), "SIZE", "soft limit of memory" },
	{ "cpus", 0, OPT_TEXT, FLAG(flags.cpus), "N", "CPUs it may use, such as 1.5" },
	{ "cpu-weight", 0, OPT_TEXT, FLAG(flags.cpu_weight), "N", "CPU weight 1-10000 (100), or a share as 25%" },
	{ "pids-limit", 0, OPT_TEXT, FLAG(flags.pids_limit), "N", "most processes and threads" },
	{ "io-weight", 0, OPT_TEXT, FLAG(flags.io_weight), "N", "weight of disk I/O, 10-1000 (100)" },
	{ "cpuset-cpus", 0, OPT_TEXT, FLAG(flags.cpuset_cpus), "LIST", "CPUs it may run on, such as 0-2,4" },
	{ "cpuset-mems", 0, OPT_TEXT, FLAG(flags.cpuset_mems), "LIST", "memory nodes it may use" },
	{ "ulimit", 0, OPT_LIST, FLAG(flags.ulimit), "NAME=SOFT[:HARD]", "resource limit, such as nofile=1024:4096" },
	{ "sysctl", 0, OPT_LIST, FLAG(flags.sysctl), "NAME=VALUE", "kernel setting of the container's namespaces" },
	{ "device", 0, OPT_LIST, FLAG(flags.device), "HOST[:DST[:rwm]]", "give it a device of the host" },
	{ "userns", 0, OPT_TEXT, FLAG(flags.userns), "auto|host|MAP", "user namespace; MAP is CONTAINER:HOST:SIZE" },
	{ "uidmap", 0, OPT_LIST, FLAG(flags.uidmap), "MAP", "map of user ids" },
	{ "gidmap", 0, OPT_LIST, FLAG(flags.gidmap), "MAP", "map of group ids" },
	{ "ns", 0, OPT_TEXT, FLAG(flags.namespaces), "LIST", "only these namespaces: user,pid,mount,network,uts,ipc,cgroup" },
	{ "pid", 0, OPT_FLAG, FLAG(flags.ns_pid), NULL, "PID namespace (on; --pid=false: the caller's)" },
	{ "uts", 0, OPT_FLAG, FLAG(flags.ns_uts), NULL, "UTS namespace (on)" },
	{ "ipc", 0, OPT_FLAG, FLAG(flags.ns_ipc), NULL, "IPC namespace (on)" },
	{ "net", 0, OPT_FLAG, FLAG(flags.ns_net), NULL, "network namespace (on)" },
	{ "cgroup", 0, OPT_FLAG, FLAG(flags.ns_cgroup), NULL, "cgroup namespace (on)" },
	{ "mnt", 0, OPT_TEXT, FLAG(mount_rootfs), "DIR", "the same as --rootfs" },
	{ "dns", 0, OPT_LIST, FLAG(flags.dns), "ADDRESS", "name server" },
	{ "add-host", 0, OPT_LIST, FLAG(flags.add_host), "NAME:ADDRESS", "line of /etc/hosts" },
	{ "publish", 'p', OPT_LIST, FLAG(flags.publish), "[IP:]HOST:CONTAINER[/udp]", "publish a port or a range of ports" },
	{ "no-metadata", 0, OPT_FLAG, FLAG(flags.no_metadata), NULL,
	  "keep a cloud's metadata services from it (169.254.0.0/16 and others, but for DNS)" },
	{ "name", 0, OPT_TEXT, FLAG(flags.name), "NAME", "name, and id, of the container" },
	{ "init", 0, OPT_FLAG, FLAG(flags.init), NULL, "a built-in init is pid 1 and reaps zombies" },
	{ "tty", 't', OPT_FLAG, FLAG(flags.tty), NULL, "a terminal of its own (on if coso has one)" },
	{ "interactive", 'i', OPT_FLAG, FLAG(flags.interactive), NULL, "pass stdin on (on in the foreground)" },
	{ "detach", 'd', OPT_FLAG, FLAG(flags.detach), NULL, "run in the background and print the id" },
	{ "rm", 0, OPT_FLAG, FLAG(flags.remove), NULL, "with --detach: leave nothing once it ended" },
	{ "pid-file", 0, OPT_TEXT, FLAG(pid_file), "FILE", "write the container's pid there" },
	{ "root", 0, OPT_TEXT, FLAG(root), "DIR", "folder for COSO's own state" },
	{ "trace", 0, OPT_TEXT, FLAG(trace), "FILE", "write where the time goes, as Chrome trace events" },
	{ "verbose", 'v', OPT_FLAG, FLAG(verbose), NULL, "print the configuration, and a line a stage" },
	{ "debug", 0, OPT_FLAG, FLAG(debug), NULL, "print more" },
	{ "quiet", 'q', OPT_FLAG, FLAG(quiet), NULL, "print no warnings" },
	{ "version", 0, OPT_FLAG, FLAG(version), NULL, "print the version" },
	{ "help", 'h', OPT_FLAG, FLAG(help), NULL, "print this" },
	{ 0 },
};

void classic_help(void)
{
	opts_help(table, stdout);
}

static void set_level(const struct classic *c)
{
	enum log_level level = c->debug   ? LOG_LEVEL_DEBUG :
			       c->verbose ? LOG_LEVEL_VERBOSE :
			       c->quiet   ? LOG_LEVEL_QUIET :
					    LOG_LEVEL_WARNING;
	log_setup("coso", level);
}

static int parse(struct cli *cli, struct classic *c, struct err *err)
{
	int next;
	*c = (struct classic){
		.flags = { .ns_uts = true, .ns_ipc = true, .ns_net = true, .ns_pid = true, .ns_mount = true, .ns_cgroup = true }
	};
	struct classic asked = { 0 };
	if (opts_parse(table, cli->arena, cli->argc, cli->argv, &asked, &next, err) < 0)
		return -1;
	c->root = cli->root;
	c->flags.tty = !asked.flags.detach && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	c->flags.interactive = true;
	if (opts_parse(table, cli->arena, cli->argc, cli->argv, c, &next, err) < 0)
		return -1;
	if (c->flags.detach)
		c->flags.interactive = false;
	if (c->mount_rootfs)
		c->flags.rootfs = c->mount_rootfs;
	c->flags.command = cli->argv + next;
	set_level(c);
	if (c->flags.name && run_check_id(c->flags.name, err) < 0)
		return err_wrap(err, "--name");
	return 0;
}

static bool runs_without_userns(void)
{
	return installed_is_copy() && getenv(no_userns);
}

// container:ID becomes that container's network namespace. It stays open as long as this process, so that no other process's is
// joined when that one ends and its pid is used again.
static const char *join_network(struct cli *cli, const struct place *place, const char *id, struct err *err)
{
	struct state state;
	own_fd int folder = -1;
	if (run_check_id(id, err) < 0) {
		err_wrap(err, "--network container:");
		return NULL;
	}
	folder = openat(place->run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0 || state_read(cli->arena, folder, &state, NULL) < 0 || !state_is_running(&state)) {
		err_set(err, ESRCH, "--network container:%s: no such container runs (coso ps)", id);
		return NULL;
	}
	own_fd int net = open(arena_printf(cli->arena, "/proc/%d/ns/net", (int)state.pid), O_RDONLY | O_CLOEXEC);
	if (net < 0 || !state_is_running(&state)) {
		err_sys(err, "--network container:%s: open its network namespace", id);
		return NULL;
	}
	return arena_printf(cli->arena, "/proc/self/fd/%d", take_fd(&net));
}

static int choose_network(struct cli *cli, const struct place *place, struct flags *flags, struct err *err)
{
	const char *name = flags->network;
	if (!name && !caller_look().privileged) {
		if (flags->ns_net && !flags->namespaces)
			log_verbose("without root's privileges a container has no network (run as root, or --network host)");
		flags->network = "none";
	} else if (!name) {
		const char *folder = installed_folder(cli->arena), *sibling = arena_printf(cli->arena, "%s/cosonet", folder);
		flags->network = *folder && access(sibling, X_OK) == 0 ? sibling : "/usr/local/bin/cosonet";
	} else if (str_starts(name, "container:")) {
		flags->network_join = join_network(cli, place, name + strlen("container:"), err);
		return flags->network_join ? 0 : -1;
	} else if (!strchr(name, '/') && !str_eq(name, "none") && !str_eq(name, "host")) {
		return err_set(err, EINVAL, "--network '%.80s': none, host, container:ID, or the path of a program that takes -pid",
			       name);
	} else if (strchr(name, '/') && name[0] != '/') { // whoever calls it with -release may be somewhere else
		char here[PATH_MAX];
		if (!getcwd(here, sizeof(here)))
			return err_sys(err, "--network '%.80s': find the working folder", name);
		flags->network = arena_printf(cli->arena, "%s/%s", here, name);
	}
	return 0;
}

static int make_spec(struct cli *cli, struct classic *c, const struct place *place, struct spec *spec, struct err *err)
{
	struct flags *f = &c->flags;
	if (choose_network(cli, place, f, err) < 0)
		return -1;
	if (!f->userns && runs_without_userns())
		f->userns = "host";
	bool mounts = !f->namespaces || strstr(f->namespaces, "m");
	if (!f->rootfs && mounts)
		f->rootfs = place_default_rootfs(cli->arena);
	return flags_to_spec(cli->arena, f, f->name ? f->name : run_new_id(cli->arena), spec, err);
}

static void print_configuration(const struct spec *spec)
{
	const struct spec_resources *r = &spec->resources;
	log_verbose("id         %s", spec->id);
	log_verbose("rootfs     %s", spec->root.path ? spec->root.path : "the host's");
	log_verbose("network    %s", spec->network.name);
	log_verbose("hostname   %s", spec->hostname ? spec->hostname : "the host's");
	log_verbose("namespaces%s%s%s%s%s%s%s", spec->namespaces & CLONE_NEWUSER ? " user" : "",
		    spec->namespaces & CLONE_NEWPID ? " pid" : "", spec->namespaces & CLONE_NEWNS ? " mount" : "",
		    spec->namespaces & CLONE_NEWNET ? " network" : "", spec->namespaces & CLONE_NEWUTS ? " uts" : "",
		    spec->namespaces & CLONE_NEWIPC ? " ipc" : "", spec->namespaces & CLONE_NEWCGROUP ? " cgroup" : "");
	log_verbose("limits     memory %lld, pids %lld, cpu quota %lld µs (0: none)", (long long)r->memory_limit,
		    (long long)r->pids_limit, (long long)r->cpu_quota);
	for (size_t i = 0; i < spec->process.args.count; i++)
		log_verbose("%-10s %s", i ? "" : "command", spec->process.args.items[i]);
}

// The binary that runs is one that the container could write: run from a copy that it can't.
static int protect_self(struct cli *cli, const struct spec *spec, struct err *err)
{
	return selfexe_is_exposed(spec) ? selfexe_protect(cli->whole, err) : 0;
}

static int without_userns(struct cli *cli, struct err *err)
{
	if (runs_without_userns())
		return -1;
	log_warning("no user namespace, so the container's root is the host's, less its capabilities: %s", err->msg);
	setenv(no_userns, "1", 1);
	return selfexe_protect(cli->whole, err);
}

static int run(struct cli *cli, struct classic *c, const struct place *place, int *out_exit_code, struct err *err)
{
	struct spec spec;
	if (make_spec(cli, c, place, &spec, err) < 0 || protect_self(cli, &spec, err) < 0)
		return -1;
	print_configuration(&spec);
	const struct run run = { .place = place, .pid_file = c->pid_file, .trace = c->trace };
	if (run_container(&run, &spec, out_exit_code, err) < 0) {
		bool again = err->code == EUSERS && spec.userns_auto && (spec.namespaces & CLONE_NEWUSER);
		return again ? without_userns(cli, err) : -1;
	}
	if (spec.detach)
		printf("%s\n", spec.id);
	return 0;
}

int cmd_classic(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct classic c;
	struct place place;
	*out_exit_code = 125;
	if (parse(cli, &c, err) < 0)
		return -1;
	if (c.help)
		return cmd_help(cli, out_exit_code, err);
	if (c.version)
		return cmd_version(cli, out_exit_code, err);
	if (place_open(cli->arena, c.root, &place, err) < 0)
		return -1;
	gc_sweep(&place, true);
	int result = run(cli, &c, &place, out_exit_code, err);
	place_close(&place);
	return result;
}

int cmd_explain(struct cli *cli, int *out_exit_code, struct err *err)
{
	struct classic c;
	struct place place;
	struct spec spec;
	struct launch launch;
	*out_exit_code = 125;
	if (parse(cli, &c, err) < 0)
		return -1;
	if (c.help)
		return cmd_help(cli, out_exit_code, err);
	if (place_look(cli->arena, c.root, &place, err) < 0)
		return -1;
	if (make_spec(cli, &c, &place, &spec, err) < 0) {
		place_close(&place);
		return -1;
	}
	launch_init(&launch, cli->arena, &spec);
	launch.data = place_data(cli->arena, &place, spec.id);
	launch.group = place_group(cli->arena, &place, spec.id);
	launch_explain(&launch, stdout);
	place_close(&place);
	*out_exit_code = 0;
	return 0;
}
