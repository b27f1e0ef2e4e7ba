// SPDX-License-Identifier: GPL-2.0-or-later
// oci_tuning.c - personality, memory policy, Intel RDT. config-linux.md
#include "coso/spec/from_oci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>

// linux/mempolicy.h of the oldest supported distributions lacks the last two, and the last flag.
enum { POLICY_DEFAULT, POLICY_PREFERRED, POLICY_BIND, POLICY_INTERLEAVE, POLICY_LOCAL, POLICY_PREFERRED_MANY, POLICY_WEIGHTED };
enum { NUMA_BALANCING = 1 << 13, RELATIVE_NODES = 1 << 14, STATIC_NODES = 1 << 15 };

const struct oci_word oci_memory_modes[] = {
	{ "MPOL_DEFAULT", POLICY_DEFAULT },       { "MPOL_BIND", POLICY_BIND },
	{ "MPOL_INTERLEAVE", POLICY_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", POLICY_WEIGHTED },
	{ "MPOL_PREFERRED", POLICY_PREFERRED },   { "MPOL_PREFERRED_MANY", POLICY_PREFERRED_MANY },
	{ "MPOL_LOCAL", POLICY_LOCAL },           { NULL, 0 },
};

const struct oci_word oci_memory_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", STATIC_NODES },
	{ NULL, 0 },
};

#define POLICY "invalid memory policy: "

// set_mempolicy(2), ERRORS
static int check_policy(const struct oci_node *m, int64_t mode, uint64_t flags, const char *nodes, struct err *err)
{
	const uint64_t placed = RELATIVE_NODES | STATIC_NODES;
	bool none = mode == POLICY_DEFAULT || mode == POLICY_LOCAL, some = !none && mode != POLICY_PREFERRED;
	if (none && nodes)
		return oci_bad_member(m, "nodes", POLICY "this mode takes no nodes", err);
	if (some && !nodes)
		return oci_bad_member(m, "nodes", POLICY "this mode needs at least one node", err);
	if ((flags & placed) == placed)
		return oci_bad_member(m, "flags", POLICY "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other", err);
	if ((flags & placed) && !nodes)
		return oci_bad_member(m, "flags", POLICY "MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES need nodes", err);
	if ((flags & NUMA_BALANCING) && mode != POLICY_BIND && mode != POLICY_PREFERRED_MANY)
		return oci_bad_member(m, "flags", POLICY "MPOL_F_NUMA_BALANCING goes with MPOL_BIND and MPOL_PREFERRED_MANY only",
				      err);
	return 0;
}

static int memory_policy(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct oci_node m;
	int64_t mode = -1;
	uint64_t flags = 0;
	const char *nodes = NULL;
	if (oci_object(l, "memoryPolicy", &m, err) < 0)
		return -1;
	if (!m.value)
		return 0;
	if (oci_word(&m, "mode", oci_memory_modes, POLICY "no such mode", &mode, err) < 0 ||
	    oci_words(&m, "flags", oci_memory_flags, POLICY "no such flag", &flags, err) < 0)
		return -1;
	if (mode < 0)
		return oci_bad_member(&m, "mode", POLICY "it has no mode", err);
	if (oci_list(spec->arena, &m, "nodes", &nodes, err) < 0)
		return err_wrap(err, "invalid memory policy");
	if (check_policy(&m, mode, flags, nodes, err) < 0)
		return -1;
	spec->memory_policy = (struct spec_memory_policy){ true, (int)(mode | (int64_t)flags), nodes };
	return 0;
}

static int personality_domain(struct spec *spec, const struct oci_node *l, struct err *err)
{
	static const struct oci_word domains[] = { { "LINUX", PER_LINUX }, { "LINUX32", PER_LINUX32 }, { NULL, 0 } };
	struct oci_node p, flags;
	int64_t domain = -1;
	if (oci_object(l, "personality", &p, err) < 0)
		return -1;
	if (!p.value)
		return 0;
	if (oci_require(&p, "domain", err) < 0 ||
	    oci_word(&p, "domain", domains, "is neither LINUX nor LINUX32", &domain, err) < 0 ||
	    oci_array(&p, "flags", &flags, err) < 0)
		return -1;
	if (domain < 0)
		return oci_bad_member(&p, "domain", "is neither LINUX nor LINUX32", err);
	if (oci_count(&flags)) {
		const struct oci_node item = oci_item(&flags, 0);
		return oci_bad(&item, "is no flag: there are none", err);
	}
	spec->personality = (unsigned long)domain;
	return 0;
}

// A folder of resctrl, or "/": the default group. What resctrl has there itself is none.
static bool is_class(const char *id)
{
	static const char *const taken[] = { ".", "..", "info", "mon_groups", "mon_data" };
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		if (str_eq(id, taken[i]))
			return false;
	}
	return str_eq(id, "/") || !id[strcspn(id, "/\n")];
}

static int schema_line(const struct oci_node *node, const char *line, struct err *err)
{
	return line && strchr(line, '\n') ? oci_bad(node, "is more than one line", err) : 0;
}

static int intel_rdt(struct spec *spec, const struct oci_node *l, struct err *err)
{
	struct spec_rdt rdt = { .given = true };
	struct oci_node r;
	if (oci_object(l, "intelRdt", &r, err) < 0)
		return -1;
	if (!r.value)
		return 0;
	if (oci_string(spec->arena, &r, "closID", &rdt.class, err) < 0 ||
	    oci_string(spec->arena, &r, "l3CacheSchema", &rdt.l3_cache, err) < 0 ||
	    oci_string(spec->arena, &r, "memBwSchema", &rdt.memory_bandwidth, err) < 0 ||
	    oci_strings(spec->arena, &r, "schemata", &rdt.schemata, err) < 0 ||
	    oci_bool(&r, "enableMonitoring", &rdt.monitoring, err) < 0)
		return -1;
	const struct oci_node l3 = oci_member(&r, "l3CacheSchema"), memory = oci_member(&r, "memBwSchema"),
			      lines = oci_member(&r, "schemata");
	if (rdt.class && !is_class(rdt.class))
		return oci_bad_member(&r, "closID", "is no name of a group", err);
	if (schema_line(&l3, rdt.l3_cache, err) < 0 || schema_line(&memory, rdt.memory_bandwidth, err) < 0)
		return -1;
	if (rdt.memory_bandwidth && !str_starts(rdt.memory_bandwidth, "MB:"))
		return oci_bad(&memory, "does not begin with MB:", err);
	for (size_t i = 0; i < rdt.schemata.count; i++) {
		const struct oci_node item = oci_item(&lines, i);
		if (schema_line(&item, rdt.schemata.items[i], err) < 0)
			return -1;
	}
	spec->rdt = rdt;
	return 0;
}

int oci_tuning(struct spec *spec, const struct oci_node *of_linux, struct err *err)
{
	if (memory_policy(spec, of_linux, err) < 0 || personality_domain(spec, of_linux, err) < 0)
		return -1;
	return intel_rdt(spec, of_linux, err);
}
