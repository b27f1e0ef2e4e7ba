// SPDX-License-Identifier: GPL-2.0-or-later
// interrupt.c - signals that wait until what was begun is undone
#include "cosofs/interrupt.h"

#include <signal.h>
#include <stddef.h>

static sigset_t signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

void interrupt_hold(void)
{
	sigset_t set = signals();
	sigprocmask(SIG_BLOCK, &set, NULL);
}

bool interrupt_pending(void)
{
	sigset_t set;
	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP);
}

void interrupt_release(void)
{
	sigset_t set = signals();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}
