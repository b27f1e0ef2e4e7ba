// SPDX-License-Identifier: GPL-2.0-or-later
// oci_events.c - events: what a container uses, and when its memory runs out, as a line of JSON each
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/fd.h"
#include "shared/num.h"
#include "shared/opts.h"
#include "shared/proc.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { INTERVAL_MAX_S = 1 << 20 };

struct options {
	const char *interval;
	bool stats;
};

static const struct opt table[] = {
	{ "stats", 0, OPT_FLAG, offsetof(struct options, stats), NULL, "print what it uses now, once" },
	{ "interval", 0, OPT_TEXT, offsetof(struct options, interval), "DURATION", "time between two, such as 5s or 500ms (5s)" },
	{ 0 },
};

// A number with a unit, as Go programs write durations.
static int parse_interval(struct arena *arena, const char *text, int *out_ms, struct err *err)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	size_t digits = strspn(text, "0123456789");
	uint64_t value = 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!str_eq(text + digits, units[i].unit))
			continue;
		if (num_u64("--interval", arena_strndup(arena, text, digits), 1, INTERVAL_MAX_S, &value, err) < 0)
			return -1;
		value *= units[i].ms;
		*out_ms = value < INT32_MAX ? (int)value : INT32_MAX;
		return 0;
	}
	return err_set(err, EINVAL, "--interval '%.40s': not a positive duration such as 5s", text);
}

static int print(const char *type, const struct container *c, json_t *data, struct err *err)
{
	json_t *event = json_pack("{s:s, s:s, s:o*}", "type", type, "id", c->id, "data", data);
	json_dumpf(event, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(event);
	return fflush(stdout) == 0 ? 0 : err_sys(err, "write to stdout");
}

static int print_stats(const struct container *c, const struct cgroup *cgroup, struct err *err)
{
	json_t *stats = cgroup_stats(cgroup);
	json_object_set_new(stats, "intel_rdt", json_object());
	json_object_set_new(stats, "network_interfaces", json_null());
	return print("stats", c, stats, err);
}

static int follow(const struct container *c, const struct cgroup *cgroup, int interval_ms, struct err *err)
{
	struct cgroup_oom oom;
	own_fd int pidfd = container_pidfd(c);
	if (cgroup_oom_watch(cgroup, &oom, err) < 0)
		return -1;
	int result = 0;
	int64_t next = proc_now_ms() + interval_ms;
	while (result == 0 && pidfd >= 0) {
		int64_t left = next - proc_now_ms();
		struct pollfd p[] = { { .fd = pidfd, .events = POLLIN }, { .fd = oom.fd, .events = POLLIN | POLLPRI } };
		int n = poll(p, 2, left > 0 ? (int)left : 0);
		if (n < 0 && errno != EINTR)
			result = err_sys(err, "wait for events");
		else if (n > 0 && p[1].revents && cgroup_oom_happened(&oom))
			result = print("oom", c, NULL, err);
		else if (n > 0 && p[0].revents)
			break;
		if (n == 0) {
			result = print_stats(c, cgroup, err);
			next += interval_ms;
		}
	}
	cgroup_oom_close(&oom);
	return result;
}

int oci_cmd_events(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct options options = { .interval = "5s" };
	struct container c;
	struct cgroup cgroup;
	int interval_ms = 0;
	*out_exit_code = 0;
	int help = oci_options(oci, table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || parse_interval(oci->arena, options.interval, &interval_ms, err) < 0 ||
	    container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = container_status(&c) == CONTAINER_STOPPED ? err_set(err, ESRCH, "container not running") :
								 container_cgroup(&c, &cgroup, err);
	if (result == 0) {
		result = options.stats ? print_stats(&c, &cgroup, err) : follow(&c, &cgroup, interval_ms, err);
		cgroup_close(&cgroup);
	}
	container_close(&c);
	return result;
}
