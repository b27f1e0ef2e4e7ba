// SPDX-License-Identifier: GPL-2.0-or-later
// timens.c - a new time namespace, with clocks of its own
#include "coso/launch/timens.h"

#include "coso/launch/procfs.h"
#include "shared/fd.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { SECOND = 1000000000 };

static const char *const clocks[] = { "monotonic", "boottime" };

enum { CLOCKS = sizeof(clocks) / sizeof(*clocks) };

static int check_clock(const struct spec *spec, size_t at, struct err *err)
{
	const struct spec_time_offset *offset = &spec->time_offsets[at];
	bool known = false;
	for (size_t i = 0; i < CLOCKS; i++)
		known |= str_eq(offset->clock, clocks[i]);
	if (!known)
		return err_set(err, EINVAL, "timeOffsets: unknown clock '%.40s': it is monotonic or boottime", offset->clock);
	for (size_t i = 0; i < at; i++)
		if (str_eq(offset->clock, spec->time_offsets[i].clock))
			return err_set(err, EINVAL, "timeOffsets: %s is there twice", offset->clock);
	if (offset->nanoseconds >= SECOND)
		return err_set(err, EINVAL, "timeOffsets.%s.nanosecs %u: more than 999999999", offset->clock, offset->nanoseconds);
	return 0;
}

int timens_prepare(const struct spec *spec, struct timens *out, struct err *err)
{
	struct timens timens = { 0 };
	size_t length = 0;
	for (size_t i = 0; spec->time_offset_count && i < spec->join_count; i++)
		if (spec->joins[i].flag == CLONE_NEWTIME)
			return err_set(err, EINVAL, "timeOffsets: the time namespace '%s' is joined, and has its own",
				       spec->joins[i].path);
	if (spec->time_offset_count && !(spec->namespaces & CLONE_NEWTIME))
		return err_set(err, EINVAL, "timeOffsets: they need a new time namespace, and the configuration has none");
	for (size_t i = 0; i < spec->time_offset_count; i++) {
		const struct spec_time_offset *offset = &spec->time_offsets[i];
		if (check_clock(spec, i, err) < 0)
			return -1;
		length += (size_t)snprintf(timens.offsets + length, sizeof(timens.offsets) - length, "%s %lld %u\n", offset->clock,
					   (long long)offset->seconds, offset->nanoseconds);
	}
	*out = timens;
	return 0;
}

int timens_enter(const struct timens *timens, int proc, struct err *err)
{
	if (unshare(CLONE_NEWTIME) < 0) {
		err_sys(err, "unshare the time namespace");
		return err->code == EINVAL ? err_hint(err, "it takes Linux 5.6 with CONFIG_TIME_NS") : -1;
	}
	if (timens->offsets[0] && procfs_write_own(proc, "timens_offsets", timens->offsets, err) < 0) {
		err_wrap(err, "timeOffsets");
		return err->code == ERANGE ? err_hint(err, "no clock may be negative, or beyond 146 years") : -1;
	}
	own_fd int folder = procfs_open_own(proc, "ns", O_PATH | O_DIRECTORY, err);
	if (folder < 0)
		return -1;
	own_fd int ns = openat(folder, "time_for_children", O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWTIME) < 0)
		return err_sys(err, "enter the new time namespace");
	return 0;
}
