// SPDX-License-Identifier: GPL-2.0-or-later
// lo.c - the loopback interface
#include "coso/launch/lo.h"

#include "shared/fd.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int lo_raise(struct err *err)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	own_fd int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &request) < 0)
		return err_sys(err, "bring up lo");
	return 0;
}
