// SPDX-License-Identifier: GPL-2.0-or-later
// adopt.c - links of the host that become the container's
#include "coso/launch/adopt.h"

#include "coso/launch/launch.h"
#include "shared/installed.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

enum { TIMEOUT_MS = 30000, OUTPUT_CAP = 16 << 10 };

bool adopt_wanted(const struct launch *launch)
{
	return launch->spec->net_device_count;
}

static struct strv command(struct launch *launch, const char *program)
{
	struct arena *a = launch->arena;
	struct strv words = { 0 };
	strv_push(a, &words, program);
	strv_push(a, &words, "-pid");
	strv_push(a, &words, arena_printf(a, "%d", (int)launch->pid));
	for (size_t i = 0; i < launch->spec->net_device_count; i++) {
		const struct spec_net_device *d = &launch->spec->net_devices[i];
		strv_push(a, &words, "-adopt");
		strv_push(a, &words, d->name ? arena_printf(a, "%s:%s", d->host, d->name) : d->host);
	}
	return words;
}

// Its own words, without its name in front.
static const char *said(char *text)
{
	static const char name[] = "cosonet: ";
	str_clean(text);
	return !*text ? "it said nothing" : str_starts(text, name) ? text + strlen(name) : text;
}

int adopt_run(struct launch *launch, struct err *err)
{
	const char *program = arena_printf(launch->arena, "%s/cosonet", installed_folder(launch->arena));
	struct strv words = command(launch, program);
	const struct proc_run run = {
		.path = program,
		.argv = words.items,
		.timeout_ms = TIMEOUT_MS,
		.cancel_fd = launch->signals,
		.cap = OUTPUT_CAP,
	};
	struct proc_result result;
	if (proc_run(launch->arena, &run, &result, err) < 0) {
		err_wrap(err, "netDevices");
		return err->code == ENOENT ? err_hint(err, "'make install' puts cosonet beside coso") : -1;
	}
	if (result.cancelled)
		return err_set(err, EINTR, "netDevices: interrupted");
	if (result.timed_out)
		return err_set(err, ETIMEDOUT, "netDevices: '%s' didn't end within %d s", program, TIMEOUT_MS / 1000);
	if (proc_exit_code(result.status) != 0)
		return err_set(err, EIO, "netDevices: %.800s", said(result.err));
	return 0;
}
