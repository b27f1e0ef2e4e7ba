// SPDX-License-Identifier: GPL-2.0-or-later
// oci_update.c - update: changes the limits of a container
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "coso/spec/from_oci.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *resources;
	const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period, *cpu_rt_runtime, *cpu_idle;
	const char *cpuset_cpus, *cpuset_mems, *memory, *memory_reservation, *memory_swap, *pids_limit;
	const char *l3_cache, *memory_bandwidth, *kernel_memory, *kernel_memory_tcp;
};

#define OPTION(field) offsetof(struct options, field)

static const struct opt table[] = {
	{ "resources", 'r', OPT_TEXT, OPTION(resources), "FILE|-", "read the limits as JSON, as linux.resources has them" },
	{ "blkio-weight", 0, OPT_TEXT, OPTION(blkio_weight), "N", "weight of block I/O, 10 to 1000" },
	{ "cpu-period", 0, OPT_TEXT, OPTION(cpu_period), "µs", "period of the CPU quota" },
	{ "cpu-quota", 0, OPT_TEXT, OPTION(cpu_quota), "µs", "CPU time a period" },
	{ "cpu-burst", 0, OPT_TEXT, OPTION(cpu_burst), "µs", "CPU time that may be saved up" },
	{ "cpu-share", 0, OPT_TEXT, OPTION(cpu_share), "N", "CPU shares" },
	{ "cpu-rt-period", 0, OPT_TEXT, OPTION(cpu_rt_period), "µs", "period of real-time CPU time" },
	{ "cpu-rt-runtime", 0, OPT_TEXT, OPTION(cpu_rt_runtime), "µs", "real-time CPU time a period" },
	{ "cpu-idle", 0, OPT_TEXT, OPTION(cpu_idle), "0|1", "run only when nothing else does" },
	{ "cpuset-cpus", 0, OPT_TEXT, OPTION(cpuset_cpus), "LIST", "CPUs" },
	{ "cpuset-mems", 0, OPT_TEXT, OPTION(cpuset_mems), "LIST", "memory nodes" },
	{ "memory", 0, OPT_TEXT, OPTION(memory), "SIZE", "memory limit" },
	{ "memory-reservation", 0, OPT_TEXT, OPTION(memory_reservation), "SIZE", "soft limit of memory" },
	{ "memory-swap", 0, OPT_TEXT, OPTION(memory_swap), "SIZE", "limit of memory and swap together" },
	{ "pids-limit", 0, OPT_TEXT, OPTION(pids_limit), "N", "most processes and threads" },
	{ "l3-cache-schema", 0, OPT_TEXT, OPTION(l3_cache), "TEXT", NULL },
	{ "mem-bw-schema", 0, OPT_TEXT, OPTION(memory_bandwidth), "TEXT", NULL },
	{ "kernel-memory", 0, OPT_TEXT, OPTION(kernel_memory), "SIZE", NULL },
	{ "kernel-memory-tcp", 0, OPT_TEXT, OPTION(kernel_memory_tcp), "SIZE", NULL },
	{ 0 },
};

enum { STDIN_CAP = 4 << 20 };

static char *read_stdin(struct arena *arena, size_t *out_size, struct err *err)
{
	char *text = arena_alloc(arena, STDIN_CAP + 1);
	size_t size = 0;
	ssize_t n;
	while (size < STDIN_CAP && (n = read(STDIN_FILENO, text + size, STDIN_CAP - size)) != 0) {
		if (n < 0 && errno != EINTR) {
			err_sys(err, "--resources: read stdin");
			return NULL;
		}
		size += n > 0 ? (size_t)n : 0;
	}
	*out_size = size;
	return text;
}

static int from_json(struct arena *arena, const char *path, struct spec_resources *r, struct err *err)
{
	size_t size;
	char *text = str_eq(path, "-") ? read_stdin(arena, &size, err) : file_read(arena, AT_FDCWD, path, FILE_CONFIG, &size, err);
	json_t *json = text ? oci_json_parse("resources", text, size, err) : NULL;
	if (!json)
		return -1;
	int result = oci_resources(arena, json, "resources", r, err);
	json_decref(json);
	return result;
}

static int bytes(const char *what, const char *text, int64_t *out, struct err *err)
{
	uint64_t value;
	if (!text)
		return 0;
	if (str_eq(text, "-1")) {
		*out = -1;
		return 0;
	}
	if (num_size(what, text, &value, err) < 0)
		return -1;
	if (value > INT64_MAX)
		return err_set(err, ERANGE, "%s '%.40s': too large", what, text);
	*out = (int64_t)value;
	return 0;
}

static int whole(const char *what, const char *text, uint64_t *out, struct err *err)
{
	return text ? num_u64(what, text, 0, INT64_MAX, out, err) : 0;
}

static int integer(const char *what, const char *text, int64_t *out, struct err *err)
{
	return text ? num_i64(what, text, INT64_MIN, INT64_MAX, out, err) : 0;
}

static int number(const char *what, const char *text, struct spec_number *out, struct err *err)
{
	if (text && num_i64(what, text, 0, INT64_MAX, &out->value, err) < 0)
		return -1;
	out->given = out->given || text;
	return 0;
}

static int from_options(const struct options *o, struct spec_resources *r, struct err *err)
{
	if (o->cpuset_cpus)
		r->cpuset_cpus = o->cpuset_cpus;
	if (o->cpuset_mems)
		r->cpuset_mems = o->cpuset_mems;
	if (bytes("--memory", o->memory, &r->memory_limit, err) < 0 ||
	    bytes("--memory-swap", o->memory_swap, &r->memory_swap, err) < 0 ||
	    bytes("--memory-reservation", o->memory_reservation, &r->memory_reservation, err) < 0)
		return -1;
	if (whole("--blkio-weight", o->blkio_weight, &r->blkio_weight, err) < 0 ||
	    whole("--cpu-period", o->cpu_period, &r->cpu_period, err) < 0 ||
	    whole("--cpu-share", o->cpu_share, &r->cpu_shares, err) < 0 ||
	    whole("--cpu-rt-period", o->cpu_rt_period, &r->cpu_rt_period, err) < 0)
		return -1;
	if (integer("--cpu-quota", o->cpu_quota, &r->cpu_quota, err) < 0 ||
	    integer("--cpu-rt-runtime", o->cpu_rt_runtime, &r->cpu_rt_runtime, err) < 0 ||
	    integer("--pids-limit", o->pids_limit, &r->pids_limit, err) < 0)
		return -1;
	return number("--cpu-burst", o->cpu_burst, &r->cpu_burst, err) < 0 ? -1 :
									     number("--cpu-idle", o->cpu_idle, &r->cpu_idle, err);
}

static int apply(struct container *c, const struct spec_resources *resources, struct err *err)
{
	struct cgroup cgroup;
	bool extended = false;
	if (container_lock(c, err) < 0)
		return -1;
	if (container_status(c) == CONTAINER_STOPPED)
		return err_set(err, ESRCH, "container not running");
	if (!c->cgroup.count)
		return err_set(err, ENOTSUP, "container '%s' has no control group", c->id);
	if (container_cgroup(c, &cgroup, err) < 0)
		return -1;
	int result = cgroup_update(&cgroup, resources, &extended, err);
	if (extended) {
		c->cgroup = (struct strv){ 0 };
		cgroup_record(&cgroup, c->arena, &c->cgroup);
		if (container_write(c, err) < 0)
			result = -1;
	}
	cgroup_close(&cgroup);
	return result;
}

int oci_cmd_update(struct oci *oci, int *out_exit_code, struct err *err)
{
	struct options options = { 0 };
	struct spec_resources resources = { 0 };
	struct container c;
	*out_exit_code = 0;
	int help = oci_options(oci, table, &options, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || (options.resources && from_json(oci->arena, options.resources, &resources, err) < 0) ||
	    from_options(&options, &resources, err) < 0)
		return -1;
	if (options.l3_cache || options.memory_bandwidth)
		return err_set(err, ENOTSUP, "update: the schemata of a resctrl group are changed in its folder (/sys/fs/resctrl)");
	if (container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = apply(&c, &resources, err);
	container_close(&c);
	return result;
}
