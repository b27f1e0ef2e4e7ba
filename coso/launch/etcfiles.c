// SPDX-License-Identifier: GPL-2.0-or-later
// etcfiles.c - the three files of /etc that say who and where the container is
#include "coso/launch/etcfiles.h"

#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int bind_file(struct launch *launch, const char *name, const char *text, int *out_file, struct err *err)
{
	char path[64];
	snprintf(path, sizeof(path), "files/%s", name);
	own_fd int file = openat(launch->rootfs.staging, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file < 0 || fd_write_full(file, text, strlen(text)) < 0)
		return err_sys(err, "write %s", name);
	own_fd int mount = sys_open_tree(launch->rootfs.staging, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount < 0)
		return err_sys(err, "clone %s", name);
	snprintf(path, sizeof(path), "/etc/%s", name);
	own_fd int target = path_mountpoint_in(launch->rootfs.root, path, false, err);
	if (target < 0 && err->code == EACCES && !launch->caller.privileged) {
		log_verbose("%s stays as the root file system has it: %s", path,
			    err->msg); // which is somebody else's, and lacks it
		return 0;
	}
	if (target < 0)
		return err_wrap(err, "mount point '%s'", path);
	if (sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind '%s'", path);
	if (out_file)
		*out_file = take_fd(&file);
	return 0;
}

int etcfiles_bind(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	char hostname[80];
	snprintf(hostname, sizeof(hostname), "%.64s\n", spec->hostname ? spec->hostname : "localhost");
	const char *resolv = spec->network.resolv_conf;
	if (resolv && bind_file(launch, "resolv.conf", resolv, &launch->resolv_file, err) < 0)
		return -1;
	if (bind_file(launch, "hostname", hostname, NULL, err) < 0)
		return -1;
	return bind_file(launch, "hosts", "", &launch->hosts_file, err);
}

int etcfiles_fill(struct launch *launch, const char *hosts, const char *resolv, struct err *err)
{
	if (launch->hosts_file >= 0 && fd_write_full(launch->hosts_file, hosts, strlen(hosts)) < 0)
		return err_sys(err, "write /etc/hosts");
	if (launch->resolv_file >= 0 && *resolv &&
	    (ftruncate(launch->resolv_file, 0) < 0 || lseek(launch->resolv_file, 0, SEEK_SET) < 0 ||
	     fd_write_full(launch->resolv_file, resolv, strlen(resolv)) < 0))
		return err_sys(err, "write /etc/resolv.conf");
	fd_close(&launch->hosts_file);
	fd_close(&launch->resolv_file);
	return 0;
}

char *etcfiles_hosts_text(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	struct arena *a = launch->arena;
	char *text = arena_strdup(a, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	if (spec->hostname && !launch->network.addresses.count)
		text = arena_printf(a, "%s127.0.1.1\t%s\n", text, spec->hostname);
	for (size_t i = 0; spec->hostname && i < launch->network.addresses.count; i++)
		text = arena_printf(a, "%s%s\t%s\n", text, launch->network.addresses.items[i], spec->hostname);
	for (size_t i = 0; i < spec->network.extra_hosts.count; i++) {
		const char *entry = spec->network.extra_hosts.items[i], *colon = strchr(entry, ':');
		text = arena_printf(a, "%s%s\t%.*s\n", text, colon + 1, (int)(colon - entry), entry);
	}
	return text;
}

char *etcfiles_resolv_text(const struct launch *launch)
{
	const struct spec_network *network = &launch->spec->network;
	struct arena *a = launch->arena;
	char *text = arena_strdup(a, "");
	if (!network->resolv_conf || network->dns_given)
		return text;
	for (size_t i = 0; i < launch->network.dns.count; i++)
		text = arena_printf(a, "%snameserver %s\n", text, launch->network.dns.items[i]);
	struct strv lines = *text ? str_split(a, network->resolv_conf, '\n') : (struct strv){ 0 };
	for (size_t i = 0; i < lines.count; i++) { // the host's search list and options stay
		if (*lines.items[i] && !str_starts(lines.items[i], "nameserver"))
			text = arena_printf(a, "%s%s\n", text, lines.items[i]);
	}
	return text;
}
