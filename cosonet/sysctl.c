// SPDX-License-Identifier: GPL-2.0-or-later
// sysctl.c - the kernel's settings below /proc/sys/net, of the network namespace that this process is in
#include "cosonet/sysctl.h"

#include "shared/fd.h"
#include "shared/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 128 };

static int open_setting(const char *name, int flags)
{
	char path[PATH_SIZE];
	if (snprintf(path, sizeof(path), "/proc/sys/net/%s", name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC);
}

int sysctl_get(const char *name, int *out, struct err *err)
{
	char text[32] = "";
	int64_t value = 0;
	own_fd int fd = open_setting(name, O_RDONLY);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(err, "open /proc/sys/net/%s", name);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	if (size < 0)
		return err_sys(err, "read /proc/sys/net/%s", name);
	text[strcspn(text, "\n")] = 0;
	if (num_i64(name, text, INT32_MIN, INT32_MAX, &value, err) < 0)
		return -1;
	*out = (int)value;
	return 1;
}

int sysctl_set(const char *name, int value, struct err *err)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", value);
	own_fd int fd = open_setting(name, O_WRONLY);
	if (fd < 0 && (errno == EROFS || errno == EACCES)) {
		err_sys(err, "set net/%s to %d", name, value);
		return err_hint(err, "/proc/sys has to be writable here; in a container, run that one privileged");
	}
	if (fd < 0 || write(fd, text, (size_t)length) < 0)
		return err_sys(err, "set net/%s to %d", name, value);
	return 0;
}

int sysctl_set_link(const char *family, const char *link, const char *key, int value, struct err *err)
{
	char name[PATH_SIZE];
	snprintf(name, sizeof(name), "%s/conf/%s/%s", family, link, key);
	return sysctl_set(name, value, err);
}

bool sysctl_has_ipv6(void)
{
	int disabled = 0;
	return sysctl_get("ipv6/conf/all/disable_ipv6", &disabled, NULL) == 1 && !disabled;
}
