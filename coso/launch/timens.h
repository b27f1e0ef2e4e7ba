// SPDX-License-Identifier: GPL-2.0-or-later
// timens.h - a new time namespace, with clocks of its own: timeOffsets. time_namespaces(7), Linux 5.6
//
// A time namespace is never cloned: whoever makes one stays outside until its offsets are written, and these are final once somebody
// is in it. So the child makes it, writes them, and enters by the way that its children would go.
#pragma once

#include "coso/spec/spec.h"
#include "shared/err.h"

struct timens {
	char offsets[128]; // as /proc/PID/timens_offsets takes them; "": none
};

// Outside, before clone3: what can't be (offsets without a new time namespace, or for one that is joined; a clock that there isn't)
// is an error.
int timens_prepare(const struct spec *spec, struct timens *out, struct err *err);

// Inside, if spec->namespaces has CLONE_NEWTIME: the calling process, which has one thread, is in the new namespace afterwards, and so
// are its children. `proc` is of procfs_open. Should: come before the process changes its ids, since then its files in proc aren't its
// own any more; before or after the ids are mapped, and before pivot_root. Async-signal-safe.
int timens_enter(const struct timens *timens, int proc, struct err *err);
