// SPDX-License-Identifier: GPL-2.0-or-later
// oci_resources.c - limits of a config.json. config-linux.md, "Control groups"
#include "coso/spec/from_oci.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PERIOD_LEAST = 1000, PERIOD_MOST = 1000000 }; // µs; Documentation/scheduler/sched-bwc.rst
enum { WEIGHT_LEAST = 10, WEIGHT_MOST = 1000, SWAPPY = 100 };

#define AT(resources, offset) ((void *)((char *)(resources) + (offset)))

static int memory(const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	static const struct {
		const char *key;
		size_t field;
	} bytes[] = {
		{ "limit", offsetof(struct spec_resources, memory_limit) },
		{ "reservation", offsetof(struct spec_resources, memory_reservation) },
		{ "swap", offsetof(struct spec_resources, memory_swap) },
		{ "kernel", offsetof(struct spec_resources, memory_kernel) },
		{ "kernelTCP", offsetof(struct spec_resources, memory_kernel_tcp) },
	};
	struct oci_node m;
	bool hierarchy; // always on: the only way there is since Linux 5.11, and with v2
	if (oci_object(resources, "memory", &m, err) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		if (oci_i64(&m, bytes[i].key, -1, INT64_MAX, AT(r, bytes[i].field), err) < 0)
			return -1;
	}
	if (oci_number(&m, "swappiness", 0, SWAPPY, &r->memory_swappiness, err) < 0 ||
	    oci_bool(&m, "disableOOMKiller", &r->memory_no_oom_killer, err) < 0 ||
	    oci_bool(&m, "useHierarchy", &hierarchy, err) < 0 || oci_bool(&m, "checkBeforeUpdate", &r->memory_check, err) < 0)
		return -1;
	if (r->memory_swap > 0 && r->memory_swap < r->memory_limit)
		return oci_bad_member(&m, "swap", "is too small: memory+swap limit should be >= memory limit", err);
	return 0;
}

static int cpu_times(const struct oci_node *c, struct spec_resources *r, struct err *err)
{
	if (oci_i64(c, "quota", INT64_MIN, INT64_MAX, &r->cpu_quota, err) < 0 ||
	    oci_u64(c, "period", PERIOD_MOST, &r->cpu_period, err) < 0 ||
	    oci_number(c, "burst", 0, INT64_MAX, &r->cpu_burst, err) < 0 ||
	    oci_i64(c, "realtimeRuntime", -1, INT64_MAX, &r->cpu_rt_runtime, err) < 0 ||
	    oci_u64(c, "realtimePeriod", INT64_MAX, &r->cpu_rt_period, err) < 0)
		return -1;
	if (r->cpu_quota < 0)
		r->cpu_quota = -1;
	if (r->cpu_period && r->cpu_period < PERIOD_LEAST)
		return oci_bad_member(c, "period", "is less than 1000 microseconds", err);
	if (r->cpu_quota > 0 && r->cpu_burst.value > r->cpu_quota)
		return oci_bad_member(c, "burst", "is more than the quota", err);
	return 0;
}

static int cpu(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node c;
	if (oci_object(resources, "cpu", &c, err) < 0 || cpu_times(&c, r, err) < 0 ||
	    oci_u64(&c, "shares", UINT64_MAX, &r->cpu_shares, err) < 0 || oci_number(&c, "idle", 0, 1, &r->cpu_idle, err) < 0 ||
	    oci_list(arena, &c, "cpus", &r->cpuset_cpus, err) < 0 || oci_list(arena, &c, "mems", &r->cpuset_mems, err) < 0)
		return -1;
	return 0;
}

static int pids(const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node p;
	struct spec_number limit = { 0 };
	if (oci_object(resources, "pids", &p, err) < 0 || oci_number(&p, "limit", -1, INT64_MAX, &limit, err) < 0)
		return -1;
	r->pids_limit = limit.value;
	r->pids_none = limit.given && limit.value == 0;
	return 0;
}

// A weight of blkio; 0 is none.
static int weight(const struct oci_node *object, const char *key, uint64_t *out, struct err *err)
{
	if (oci_u64(object, key, WEIGHT_MOST, out, err) < 0)
		return -1;
	return *out && *out < WEIGHT_LEAST ? oci_bad_member(object, key, "is not from 10 to 1000", err) : 0;
}

static int device_numbers(const struct oci_node *object, struct spec_io_rate *rate, struct err *err)
{
	if (oci_require(object, "major", err) < 0 || oci_require(object, "minor", err) < 0)
		return -1;
	if (oci_i64(object, "major", 0, UINT32_MAX, &rate->major, err) < 0)
		return -1;
	return oci_i64(object, "minor", 0, UINT32_MAX, &rate->minor, err);
}

static void add_rate(struct arena *arena, struct spec_io_rates *rates, struct spec_io_rate rate)
{
	rates->items = arena_grow(arena, rates->items, rates->count, sizeof(rate));
	rates->items[rates->count++] = rate;
}

static int device_weights(struct arena *arena, const struct oci_node *io, struct spec_resources *r, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(io, "weightDevice", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_io_rate rate = { 0 }, leaf;
		if (oci_entry(&array, i, &entry, err) < 0 || device_numbers(&entry, &rate, err) < 0)
			return -1;
		leaf = rate;
		if (weight(&entry, "weight", &rate.value, err) < 0 || weight(&entry, "leafWeight", &leaf.value, err) < 0)
			return -1;
		if (!rate.value && !leaf.value)
			return oci_bad(&entry, "has neither a weight nor a leafWeight", err);
		if (rate.value)
			add_rate(arena, &r->blkio_weights, rate);
		if (leaf.value)
			add_rate(arena, &r->blkio_leaf_weights, leaf);
	}
	return 0;
}

static int throttle(struct arena *arena, const struct oci_node *io, const char *key, struct spec_io_rates *rates, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(io, key, &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_io_rate rate = { 0 };
		if (oci_entry(&array, i, &entry, err) < 0 || device_numbers(&entry, &rate, err) < 0 ||
		    oci_require(&entry, "rate", err) < 0 || oci_u64(&entry, "rate", UINT64_MAX, &rate.value, err) < 0)
			return -1;
		add_rate(arena, rates, rate);
	}
	return 0;
}

static int block_io(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node io;
	if (oci_object(resources, "blockIO", &io, err) < 0 || weight(&io, "weight", &r->blkio_weight, err) < 0 ||
	    weight(&io, "leafWeight", &r->blkio_leaf_weight, err) < 0 || device_weights(arena, &io, r, err) < 0 ||
	    throttle(arena, &io, "throttleReadBpsDevice", &r->read_bps, err) < 0 ||
	    throttle(arena, &io, "throttleWriteBpsDevice", &r->write_bps, err) < 0 ||
	    throttle(arena, &io, "throttleReadIOPSDevice", &r->read_iops, err) < 0 ||
	    throttle(arena, &io, "throttleWriteIOPSDevice", &r->write_iops, err) < 0)
		return -1;
	return 0;
}

// "2MB": the name of a control file, too.
static bool is_page_size(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits && digits < 20 && *text != '0' && text[digits] && strchr("KMG", text[digits]) &&
	       str_eq(text + digits + 1, "B");
}

static int huge_pages(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(resources, "hugepageLimits", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_hugepages pages = { 0 };
		if (oci_entry(&array, i, &entry, err) < 0 || oci_require(&entry, "pageSize", err) < 0 ||
		    oci_require(&entry, "limit", err) < 0 || oci_string(arena, &entry, "pageSize", &pages.size, err) < 0 ||
		    oci_u64(&entry, "limit", UINT64_MAX, &pages.limit, err) < 0)
			return -1;
		if (!pages.size || !is_page_size(pages.size))
			return oci_bad_member(&entry, "pageSize", "is no size of pages such as 2MB", err);
		r->hugepages = arena_grow(arena, r->hugepages, r->hugepage_count, sizeof(pages));
		r->hugepages[r->hugepage_count++] = pages;
	}
	return 0;
}

static int network(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node n, array, entry;
	if (oci_object(resources, "network", &n, err) < 0 || oci_u32(&n, "classID", &r->net_class, err) < 0 ||
	    oci_array(&n, "priorities", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_priority priority = { 0 };
		if (oci_entry(&array, i, &entry, err) < 0 || oci_string(arena, &entry, "name", &priority.interface, err) < 0 ||
		    oci_require(&entry, "priority", err) < 0 || oci_u32(&entry, "priority", &priority.priority, err) < 0)
			return -1;
		if (!priority.interface || priority.interface[strcspn(priority.interface, " \t\n/")])
			return oci_bad_member(&entry, "name", "is no name of an interface", err);
		r->net_priorities = arena_grow(arena, r->net_priorities, r->net_priority_count, sizeof(priority));
		r->net_priorities[r->net_priority_count++] = priority;
	}
	return 0;
}

static int rdma(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node devices;
	const char *name;
	json_t *value;
	if (oci_object(resources, "rdma", &devices, err) < 0)
		return -1;
	json_object_foreach((json_t *)devices.value, name, value) {
		const struct oci_node entry = { .value = value, .up = &devices, .key = name };
		struct spec_rdma limit = { .handles = -1, .objects = -1 };
		if (!json_is_object(value))
			return oci_bad(&entry, "is not an object", err);
		if (oci_i64(&entry, "hcaHandles", 0, UINT32_MAX, &limit.handles, err) < 0 ||
		    oci_i64(&entry, "hcaObjects", 0, UINT32_MAX, &limit.objects, err) < 0)
			return -1;
		if (limit.handles < 0 && limit.objects < 0)
			return oci_bad(&entry, "has neither hcaHandles nor hcaObjects", err);
		if (!*name || name[strcspn(name, " \t\n")])
			return oci_bad(&entry, "belongs to no device that can be", err);
		limit.device = arena_strdup(arena, name);
		r->rdma = arena_grow(arena, r->rdma, r->rdma_count, sizeof(limit));
		r->rdma[r->rdma_count++] = limit;
	}
	return 0;
}

static int unified(struct arena *arena, const struct oci_node *resources, struct spec_resources *r, struct err *err)
{
	struct oci_node files;
	const char *name;
	json_t *value;
	if (oci_object(resources, "unified", &files, err) < 0)
		return -1;
	json_object_foreach((json_t *)files.value, name, value) {
		const struct oci_node entry = { .value = value, .up = &files, .key = name };
		const char *text;
		if (oci_text(&entry, &text, err) < 0)
			return -1;
		if (!*name || *name == '.' || name[strcspn(name, "/=\n")])
			return oci_bad(&entry, "belongs to no file of a control group", err);
		strv_push(arena, &r->unified, arena_printf(arena, "%s=%s", name, text));
	}
	return 0;
}

int oci_resources(struct arena *arena, const json_t *resources, const char *where, struct spec_resources *out_resources,
		  struct err *err)
{
	const struct oci_node node = { .value = resources, .key = where };
	struct spec_resources r = { 0 };
	if (!json_is_object(resources))
		return oci_bad(&node, "is not an object", err);
	if (memory(&node, &r, err) < 0 || cpu(arena, &node, &r, err) < 0 || pids(&node, &r, err) < 0 ||
	    block_io(arena, &node, &r, err) < 0 || huge_pages(arena, &node, &r, err) < 0 || network(arena, &node, &r, err) < 0 ||
	    rdma(arena, &node, &r, err) < 0 || unified(arena, &node, &r, err) < 0)
		return -1;
	*out_resources = r;
	return 0;
}
