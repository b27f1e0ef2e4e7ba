// SPDX-License-Identifier: GPL-2.0-or-later
// limits.c - limits as flags: memory, CPU, pids, I/O, rlimits
#include "coso/spec/flags.h"
#include "shared/list.h"
#include "shared/num.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MEMORY_LEAST = 512 << 10, PERIOD = 100000 };

static int parse_memory(const char *what, const char *text, int64_t *out, struct err *err)
{
	uint64_t bytes;
	if (str_eq(text, "-1")) {
		*out = -1;
		return 0;
	}
	if (num_size(what, text, &bytes, err) < 0)
		return -1;
	if (bytes < MEMORY_LEAST)
		return err_set(err, EINVAL, "%s '%.80s': the least is 512k", what, text);
	*out = (int64_t)bytes;
	return 0;
}

static int memory(const struct flags *flags, struct spec_resources *r, struct err *err)
{
	if (flags->memory && parse_memory("--memory", flags->memory, &r->memory_limit, err) < 0)
		return -1;
	if (flags->memory_swap && parse_memory("--memory-swap", flags->memory_swap, &r->memory_swap, err) < 0)
		return -1;
	if (flags->memory_reservation &&
	    parse_memory("--memory-reservation", flags->memory_reservation, &r->memory_reservation, err) < 0)
		return -1;
	if (r->memory_swap > 0 && r->memory_limit <= 0)
		return err_set(err, EINVAL, "--memory-swap '%s': it is memory and swap together, so --memory is needed too",
			       flags->memory_swap);
	if (r->memory_swap > 0 && r->memory_swap < r->memory_limit)
		return err_set(err, EINVAL, "--memory-swap '%s': less than --memory", flags->memory_swap);
	if (r->memory_limit > 0 && r->memory_reservation > r->memory_limit)
		return err_set(err, EINVAL, "--memory-reservation '%s': more than --memory", flags->memory_reservation);
	return 0;
}

// A weight from 1 to 10000 (100 is everyone's default), or a share in percent of the default as "25%".
static int cpu_weight(const char *text, struct spec_resources *r, struct err *err)
{
	size_t length = strlen(text);
	uint64_t value;
	char number[32];
	if (length == 0 || text[length - 1] != '%')
		return num_u64("--cpu-weight", text, 1, 10000, &r->cpu_weight, err);
	snprintf(number, sizeof(number), "%.*s", (int)length - 1, text);
	if (num_u64("--cpu-weight (percent)", number, 1, 100, &value, err) < 0)
		return -1;
	r->cpu_weight = 0;
	r->cpu_shares = 1024 * value / 100;
	return 0;
}

static int check_list(const char *what, const char *text, struct err *err)
{
	struct list list;
	if (list_parse(what, text, &list, err) < 0)
		return -1;
	return list_is_empty(&list) ? err_set(err, EINVAL, "%s '': not a list such as 0-3,7", what) : 0;
}

static int cpu(const struct flags *flags, struct spec_resources *r, struct err *err)
{
	uint64_t thousandths;
	if (flags->cpu_weight && cpu_weight(flags->cpu_weight, r, err) < 0)
		return -1;
	if (flags->cpus) {
		if (num_decimal("--cpus", flags->cpus, 1000, &thousandths, err) < 0)
			return -1;
		if (thousandths < 10 || thousandths > 1000000)
			return err_set(err, EINVAL, "--cpus '%.80s': not from 0.01 to 1000", flags->cpus);
		r->cpu_period = PERIOD;
		r->cpu_quota = (int64_t)(thousandths * PERIOD / 1000);
	}
	if (flags->cpuset_cpus)
		r->cpuset_cpus = flags->cpuset_cpus;
	if (flags->cpuset_mems)
		r->cpuset_mems = flags->cpuset_mems;
	if (flags->cpuset_cpus && check_list("--cpuset-cpus", flags->cpuset_cpus, err) < 0)
		return -1;
	if (flags->cpuset_mems && check_list("--cpuset-mems", flags->cpuset_mems, err) < 0)
		return -1;
	return 0;
}

int flags_resources(const struct flags *flags, struct spec_resources *r, struct err *err)
{
	uint64_t value;
	if (memory(flags, r, err) < 0 || cpu(flags, r, err) < 0)
		return -1;
	if (str_eq(flags->pids_limit, "-1"))
		r->pids_limit = -1;
	else if (flags->pids_limit) {
		if (num_u64("--pids-limit", flags->pids_limit, 1, 4194304, &value, err) < 0)
			return -1;
		r->pids_limit = (int64_t)value;
	}
	if (flags->io_weight) {
		if (num_u64("--io-weight", flags->io_weight, 10, 1000, &value, err) < 0)
			return -1;
		r->io_weight = value * 10; // v2's range is ten times blkio's
	}
	return 0;
}

static const struct {
	const char *name;
	int resource;
} limits[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static int limit_value(const char *text, uint64_t *out, struct err *err)
{
	if (str_eq(text, "-1") || str_eq(text, "unlimited")) {
		*out = RLIM_INFINITY;
		return 0;
	}
	return num_u64("--ulimit", text, 0, INT64_MAX, out, err);
}

// NAME=SOFT[:HARD]
static int one_ulimit(const char *text, struct spec_process *process, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct strv f = str_split(&arena, text, '=');
	if (f.count != 2)
		return err_set(err, EINVAL, "--ulimit '%.80s': not NAME=SOFT[:HARD]", text);
	struct spec_rlimit limit = { .resource = -1 };
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (str_eq(f.items[0], limits[i].name))
			limit.resource = limits[i].resource;
	}
	if (limit.resource < 0)
		return err_set(err, EINVAL, "--ulimit '%.80s': unknown limit (nofile, nproc, core, …: see getrlimit(2))", text);
	struct strv v = str_split(&arena, f.items[1], ':');
	if (v.count > 2 || limit_value(v.items[0], &limit.soft, err) < 0 || limit_value(v.items[v.count - 1], &limit.hard, err) < 0)
		return v.count > 2 ? err_set(err, EINVAL, "--ulimit '%.80s': not NAME=SOFT[:HARD]", text) : -1;
	if (limit.soft > limit.hard)
		return err_set(err, EINVAL, "--ulimit '%.80s': the soft limit is above the hard one", text);
	for (size_t i = 0; i < process->rlimit_count; i++) {
		if (process->rlimits[i].resource == limit.resource) {
			process->rlimits[i] = limit;
			return 0;
		}
	}
	process->rlimits[process->rlimit_count++] = limit;
	return 0;
}

int flags_ulimits(const struct strv *list, struct spec_process *process, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		if (one_ulimit(list->items[i], process, err) < 0)
			return -1;
	}
	return 0;
}
