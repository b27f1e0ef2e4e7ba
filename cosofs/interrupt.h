// SPDX-License-Identifier: GPL-2.0-or-later
// interrupt.h - Ctrl-C, a hang-up and a request to end wait until what was begun is undone
#pragma once

#include <stdbool.h>

void interrupt_hold(void);    // from now on they wait; a forked child inherits that
bool interrupt_pending(void); // one of them came
void interrupt_release(void); // a child's default again; and the end of a program that was interrupted, by that very signal
