// SPDX-License-Identifier: GPL-2.0-or-later
// forward.h - the host forwards packets: turned on with a memory of what was, and turned back exactly
#pragma once

#include "cosonet/record.h"

// Notes in the record what is off now, and so is ours to turn on and off again. 0 or -1.
int forward_observe(struct record *record, struct err *err);

// Turns on what the record says was off. Again is fine, also after a run that was killed half-way. Other links keep their own IPv6
// setting, since one that forwards stops listening to router advertisements, and the default routes that such have brought. 0 or -1.
int forward_on(const struct record *record, const char *bridge, struct err *err);

// Turns off again what forward_on turned on. 0 or -1.
int forward_off(const struct record *record, struct err *err);
