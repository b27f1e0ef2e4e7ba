// SPDX-License-Identifier: GPL-2.0-or-later
// names.c - host name, domain name, sysctls
#include "coso/launch/names.h"

#include "coso/launch/launch.h"
#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/str.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

// In a name '.' separates, and '/' stands for a dot of an interface: net.ipv4.conf.eth0/1.forwarding. sysctl.d(5)
static char path_letter(char c)
{
	return c == '.' ? '/' : c == '/' ? '.' : c;
}

// Never by way of the container's own /proc: an image without a mount there could have anything in its place (CVE-2025-52881).
static int set_sysctl(int proc, const char *assignment, struct err *err)
{
	char path[256] = "sys/";
	size_t at = strlen(path);
	const char *c = assignment;
	for (; *c && *c != '=' && at < sizeof(path) - 1; c++)
		path[at++] = path_letter(*c);
	path[at] = '\0';
	own_fd int fd = procfs_open_file(proc, path, O_WRONLY, err);
	if (fd < 0)
		return err_wrap(err, "--sysctl %s", assignment);
	if (*c != '=' || write(fd, c + 1, strlen(c + 1)) < 0)
		return err_sys(err, "--sysctl %s", assignment);
	return 0;
}

bool names_wanted(const struct launch *launch)
{
	const struct spec *spec = launch->spec;
	return spec->sysctl.count || (launch_has(launch, CLONE_NEWUTS) && (spec->hostname || spec->domainname));
}

void names_describe(const struct launch *launch, FILE *out)
{
	if (launch_has(launch, CLONE_NEWUTS) && launch->spec->hostname)
		fprintf(out, "             host name %s\n", launch->spec->hostname);
	for (size_t i = 0; i < launch->spec->sysctl.count; i++)
		fprintf(out, "             sysctl %s\n", launch->spec->sysctl.items[i]);
}

int names_set(struct launch *launch, struct err *err)
{
	const struct spec *spec = launch->spec;
	if (launch_has(launch, CLONE_NEWUTS) && spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return err_sys(err, "set host name '%s'", spec->hostname);
	if (launch_has(launch, CLONE_NEWUTS) && spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return err_sys(err, "set domain name '%s'", spec->domainname);
	for (size_t i = 0; i < spec->sysctl.count; i++) {
		if (set_sysctl(launch->proc, spec->sysctl.items[i], err) < 0)
			return -1;
	}
	return 0;
}

int names_set_network(const struct spec *spec, struct err *err)
{
	own_fd int proc = procfs_open(err);
	if (proc < 0)
		return -1;
	for (size_t i = 0; i < spec->sysctl.count; i++) {
		if (str_starts(spec->sysctl.items[i], "net.") && set_sysctl(proc, spec->sysctl.items[i], err) < 0)
			return -1;
	}
	return 0;
}
