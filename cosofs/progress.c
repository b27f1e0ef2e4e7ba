// SPDX-License-Identifier: GPL-2.0-or-later
// progress.c - one line on a terminal
#include "cosofs/progress.h"

#include "shared/log.h"
#include "shared/proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REDRAW_MS = 100, WIDTH = 30 };

static const double MB = 1e6;

static void put(const char *text, int length)
{
	if (length > 0)
		(void)!write(STDERR_FILENO, text, (size_t)length);
}

void progress_begin(struct progress *progress, const char *what)
{
	*progress = (struct progress){ .what = what, .on = isatty(STDERR_FILENO) && log_level() > LOG_LEVEL_QUIET };
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	char line[160], bar[WIDTH + 1] = "";
	int64_t now = proc_now_ms();
	if (!progress->on || (now - progress->last < REDRAW_MS && done != total))
		return;
	progress->last = now;
	if (total == 0 || done > total) {
		put(line, snprintf(line, sizeof(line), "\r%.60s  %.1f MB\033[K", progress->what, (double)done / MB));
		return;
	}
	size_t filled = (size_t)(done * WIDTH / total);
	memset(bar, '#', filled);
	memset(bar + filled, '.', WIDTH - filled);
	put(line, snprintf(line, sizeof(line), "\r%.60s  [%s] %3u %%  %.1f of %.1f MB\033[K", progress->what, bar,
			   (unsigned int)(done * 100 / total), (double)done / MB, (double)total / MB));
}

void progress_end(struct progress *progress)
{
	if (progress->on && progress->last)
		put("\r\033[K", 4);
}
