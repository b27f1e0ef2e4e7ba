// SPDX-License-Identifier: GPL-2.0-or-later
// oci_process.c - the process of a config.json. config.md, "Process"
#include "coso/spec/capset.h"
#include "coso/spec/from_oci.h"
#include "shared/log.h"

#include <errno.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { UMASK_MOST = 0777, OOM_MOST = 1000, NICE_LEAST = -20, NICE_MOST = 19, IO_LEVELS = 8, RT_MOST = 99 };
enum { ISO = 4, DEADLINE = 6 };      // <sched.h> of glibc lacks SCHED_DEADLINE; Linux never had SCHED_ISO
enum { DEADLINE_LEAST = 1024 };      // ns
enum { WARNED = 160, REASON = 160 }; // bytes of names in one warning; of a reason

static const struct oci_word rlimit_names[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
	{ NULL, 0 },
};

static const struct oci_word policies[] = {
	{ "SCHED_OTHER", SCHED_OTHER }, { "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },       { "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", ISO },           { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", DEADLINE }, { NULL, 0 },
};

static const struct oci_word scheduler_flags[] = {
	// linux/sched.h
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, { NULL, 0 },
};

static const struct oci_word io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
	{ NULL, 0 },
};

// A hash table of indexes in a list, 0 for none, which finds an environment's entry by its name.
struct names {
	const struct strv *list;
	size_t *slots, mask;
};

static size_t *find_slot(const struct names *names, const char *entry, size_t length)
{
	uint32_t hash = 2166136261U; // FNV-1a
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)entry[i]) * 16777619U;
	for (size_t at = hash & names->mask;; at = (at + 1) & names->mask) {
		size_t found = names->slots[at];
		if (!found || strncmp(names->list->items[found - 1], entry, length + 1) == 0)
			return &names->slots[at];
	}
}

// Of entries with the same name the last one counts, in the place of the first.
static int environment(struct arena *arena, const struct oci_node *process, struct strv *out, struct err *err)
{
	struct strv given = { 0 }, env = { 0 };
	struct names names = { .list = &given, .mask = 15 };
	if (oci_strings(arena, process, "env", &given, err) < 0)
		return -1;
	while (names.mask < given.count * 2)
		names.mask = names.mask * 2 + 1;
	names.slots = arena_alloc(arena, (names.mask + 1) * sizeof(*names.slots));
	for (size_t i = 0; i < given.count; i++) {
		char *entry = given.items[i], *equals = strchr(entry, '=');
		if (!equals || equals == entry) {
			const struct oci_node array = oci_member(process, "env"), item = oci_item(&array, i);
			return oci_bad(&item, "is not NAME=VALUE", err);
		}
		size_t *slot = find_slot(&names, entry, (size_t)(equals - entry));
		given.items[i] = NULL;
		*slot = *slot ? *slot : i + 1;
		given.items[*slot - 1] = entry;
	}
	for (size_t i = 0; i < given.count; i++) {
		if (given.items[i])
			strv_push(arena, &env, given.items[i]);
	}
	*out = env;
	return 0;
}

// HOME comes from the container's own passwd file where it is missing or empty.
static char *home_slot(struct arena *arena, struct strv *env)
{
	size_t at = 0;
	while (at < env->count && !str_starts(env->items[at], "HOME="))
		at++;
	if (at < env->count && env->items[at][strlen("HOME=")])
		return NULL;
	char *slot = arena_alloc(arena, SPEC_HOME_SLOT);
	memcpy(slot, "HOME=", sizeof("HOME="));
	if (at < env->count)
		env->items[at] = slot;
	else
		strv_push(arena, env, slot);
	return slot;
}

static bool is_mapped(const struct spec_idmaps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (id >= maps->items[i].container && id - maps->items[i].container < maps->items[i].size)
			return true;
	}
	return false;
}

// An id of the container. UINT32_MAX is none, and where the maps are known it must be in them.
static int check_id(const struct spec *container, const struct spec_idmaps *maps, const struct oci_node *node, uint32_t id,
		    struct err *err)
{
	if (id == UINT32_MAX)
		return oci_bad(node, "is no id", err);
	if ((container->namespaces & CLONE_NEWUSER) && !is_mapped(maps, id))
		return oci_bad(node, "is not mapped in the user namespace", err);
	return 0;
}

static int groups(struct arena *arena, const struct spec *container, const struct oci_node *u, struct spec_process *p,
		  struct err *err)
{
	struct oci_node array;
	if (oci_array(u, "additionalGids", &array, err) < 0)
		return -1;
	p->group_count = oci_count(&array);
	p->groups = arena_alloc(arena, p->group_count * sizeof(*p->groups));
	for (size_t i = 0; i < p->group_count; i++) {
		const struct oci_node item = oci_item(&array, i);
		uint64_t gid = 0;
		bool negative = false;
		if (!oci_integer(item.value, &negative, &gid) || negative || gid > UINT32_MAX)
			return oci_bad(&item, "is no group id", err);
		p->groups[i] = (uint32_t)gid;
		if (check_id(container, &container->gid_maps, &item, p->groups[i], err) < 0)
			return -1;
	}
	return 0;
}

static int user(struct arena *arena, const struct spec *container, const struct oci_node *process, struct spec_process *p,
		struct err *err)
{
	struct oci_node u;
	if (oci_object(process, "user", &u, err) < 0 || oci_u32(&u, "uid", &p->uid, err) < 0 ||
	    oci_u32(&u, "gid", &p->gid, err) < 0 || oci_number(&u, "umask", 0, UMASK_MOST, &p->umask, err) < 0)
		return -1;
	const struct oci_node uid = oci_member(&u, "uid"), gid = oci_member(&u, "gid");
	if (check_id(container, &container->uid_maps, &uid, p->uid, err) < 0 ||
	    check_id(container, &container->gid_maps, &gid, p->gid, err) < 0)
		return -1;
	return groups(arena, container, &u, p, err);
}

static int rlimits(const struct oci_node *process, struct spec_process *p, struct err *err)
{
	struct oci_node array, entry;
	if (oci_array(process, "rlimits", &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		struct spec_rlimit limit = { 0 };
		int64_t resource = -1;
		if (oci_entry(&array, i, &entry, err) < 0 || oci_require(&entry, "type", err) < 0 ||
		    oci_require(&entry, "soft", err) < 0 || oci_require(&entry, "hard", err) < 0 ||
		    oci_word(&entry, "type", rlimit_names, "is no resource limit", &resource, err) < 0 ||
		    oci_u64(&entry, "soft", UINT64_MAX, &limit.soft, err) < 0 ||
		    oci_u64(&entry, "hard", UINT64_MAX, &limit.hard, err) < 0)
			return -1;
		if (resource < 0)
			return oci_bad_member(&entry, "type", "is no resource limit", err);
		if (limit.soft > limit.hard)
			return oci_bad_member(&entry, "soft", "is above the hard limit", err);
		limit.resource = (int)resource;
		for (size_t n = 0; n < p->rlimit_count; n++) {
			if (p->rlimits[n].resource == limit.resource)
				return oci_bad_member(&entry, "type", "is there twice", err);
		}
		p->rlimits[p->rlimit_count++] = limit; // SPEC_RLIMITS_MAX kinds, each once
	}
	return 0;
}

// Names that can't be given, each once, as far as they fit.
struct refused {
	char text[WARNED];
	size_t count;
};

static void refuse(struct refused *refused, const char *name)
{
	size_t used = strlen(refused->text), length = strlen(name);
	const char *seen = strstr(refused->text, name);
	if (seen && (seen[length] == '\0' || seen[length] == ','))
		return;
	refused->count++;
	if (used + length + sizeof(", ") < sizeof(refused->text))
		snprintf(refused->text + used, sizeof(refused->text) - used, "%s%s", used ? ", " : "", name);
}

static void refuse_bits(struct refused *refused, uint64_t bits)
{
	for (int number = 0; number < CAPSET_NAMED; number++) {
		if (bits >> number & 1)
			refuse(refused, capset_name(number));
	}
}

static int one_set(const struct oci_node *sets, const char *key, uint64_t grantable, uint64_t *out, struct refused *refused,
		   struct err *err)
{
	struct oci_node array;
	uint64_t bits = 0;
	if (oci_array(sets, key, &array, err) < 0)
		return -1;
	for (size_t i = 0; i < oci_count(&array); i++) {
		const struct oci_node item = oci_item(&array, i);
		const char *name;
		if (oci_text(&item, &name, err) < 0)
			return -1;
		int number = capset_number(name);
		if (number < 0 || !(grantable >> number & 1))
			refuse(refused, name);
		else
			bits |= UINT64_C(1) << number;
	}
	*out = bits;
	return 0;
}

// A new user namespace has all capabilities, whatever the caller's bounding set is. user_namespaces(7)
static uint64_t grantable_caps(const struct spec *container)
{
	return oci_has(container, CLONE_NEWUSER) ? capset_all() : capset_bounding();
}

// capabilities(7): what isn't permitted can't be effective, what isn't in the bounding set can't become inheritable, and an ambient
// capability is both permitted and inheritable.
static int capabilities(const struct spec *container, const struct oci_node *process, struct spec_caps *caps, struct err *err)
{
	struct oci_node sets;
	struct refused refused = { 0 };
	if (oci_object(process, "capabilities", &sets, err) < 0)
		return -1;
	if (!sets.value) {
		*caps = container->process.caps;
		return 0;
	}
	const uint64_t grantable = grantable_caps(container);
	if (one_set(&sets, "bounding", grantable, &caps->bounding, &refused, err) < 0 ||
	    one_set(&sets, "permitted", grantable, &caps->permitted, &refused, err) < 0 ||
	    one_set(&sets, "effective", grantable, &caps->effective, &refused, err) < 0 ||
	    one_set(&sets, "inheritable", grantable, &caps->inheritable, &refused, err) < 0 ||
	    one_set(&sets, "ambient", grantable, &caps->ambient, &refused, err) < 0)
		return -1;
	refuse_bits(&refused, caps->effective & ~caps->permitted);
	caps->effective &= caps->permitted;
	refuse_bits(&refused, caps->inheritable & ~caps->bounding);
	caps->inheritable &= caps->bounding;
	refuse_bits(&refused, caps->ambient & ~(caps->permitted & caps->inheritable));
	caps->ambient &= caps->permitted & caps->inheritable;
	if (refused.count)
		log_warning("process.capabilities: dropped, as they can't be granted: %s", refused.text);
	return 0;
}

// What the kernel would refuse with no more than "invalid argument". sched(7); DL_SCALE and __checkparam_dl() of the kernel
static int deadline(const struct oci_node *s, const struct spec_scheduler *scheduler, struct err *err)
{
	static const char *const keys[] = { "runtime", "deadline", "period" };
	const uint64_t given[] = { scheduler->runtime, scheduler->deadline, scheduler->period };
	const unsigned long long runtime = given[0], deadline = given[1], period = given[2];
	const bool is_deadline = scheduler->policy == DEADLINE;
	char place[OCI_PLACE];
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && !is_deadline; i++) {
		if (given[i])
			return oci_bad_member(s, keys[i], "goes with SCHED_DEADLINE only", err);
	}
	if (!is_deadline)
		return 0;
	char reason[REASON] = "";
	if (!oci_member(s, "runtime").value || !oci_member(s, "deadline").value)
		snprintf(reason, sizeof(reason), "requires `%s`", oci_member(s, "runtime").value ? "deadline" : "runtime");
	else if (!runtime)
		snprintf(reason, sizeof(reason), "runtime must be greater than 0");
	else if (runtime > deadline)
		snprintf(reason, sizeof(reason), "runtime %llu must be <= deadline %llu", runtime, deadline);
	else if (period && deadline > period)
		snprintf(reason, sizeof(reason), "deadline %llu must be <= period %llu", deadline, period);
	else if (runtime < DEADLINE_LEAST || runtime > INT64_MAX)
		snprintf(reason, sizeof(reason), "runtime %llu must be between %d and %lld", runtime, DEADLINE_LEAST,
			 (long long)INT64_MAX);
	if (!*reason)
		return 0;
	oci_place(s, place);
	return err_set(err, EINVAL, "%s: sched_setattr: `SCHED_DEADLINE` %s", place, reason);
}

static int scheduler(const struct oci_node *process, struct spec_scheduler *out, struct err *err)
{
	struct oci_node s;
	int64_t policy = -1, nice = 0, priority = 0;
	if (oci_object(process, "scheduler", &s, err) < 0)
		return -1;
	if (!s.value)
		return 0;
	if (oci_require(&s, "policy", err) < 0 || oci_word(&s, "policy", policies, "is no scheduling policy", &policy, err) < 0 ||
	    oci_i64(&s, "nice", NICE_LEAST, NICE_MOST, &nice, err) < 0 || oci_i64(&s, "priority", 0, RT_MOST, &priority, err) < 0 ||
	    oci_words(&s, "flags", scheduler_flags, "is no flag of the scheduler", &out->flags, err) < 0 ||
	    oci_u64(&s, "runtime", UINT64_MAX, &out->runtime, err) < 0 ||
	    oci_u64(&s, "deadline", UINT64_MAX, &out->deadline, err) < 0 ||
	    oci_u64(&s, "period", UINT64_MAX, &out->period, err) < 0)
		return -1;
	bool realtime = policy == SCHED_FIFO || policy == SCHED_RR;
	if (policy < 0 || policy == ISO)
		return oci_bad_member(&s, "policy", "is no policy that Linux has", err);
	if (realtime != (priority > 0))
		return realtime ? oci_bad(&s, "has no priority from 1 to 99, which its policy needs", err) :
				  oci_bad_member(&s, "priority", "goes with SCHED_FIFO and SCHED_RR only", err);
	out->given = true;
	out->policy = (uint32_t)policy;
	out->nice = (int32_t)nice;
	out->priority = (uint32_t)priority;
	return deadline(&s, out, err);
}

static int io_priority(const struct oci_node *process, struct spec_io_priority *out, struct err *err)
{
	struct oci_node io;
	int64_t class = 0, priority = 0;
	if (oci_object(process, "ioPriority", &io, err) < 0)
		return -1;
	if (!io.value)
		return 0;
	if (oci_require(&io, "class", err) < 0 ||
	    oci_word(&io, "class", io_classes, "is no class of I/O priorities", &class, err) < 0 ||
	    oci_i64(&io, "priority", 0, IO_LEVELS - 1, &priority, err) < 0)
		return -1;
	if (!class)
		return oci_bad_member(&io, "class", "is no class of I/O priorities", err);
	*out = (struct spec_io_priority){ true, (int)class, (int)priority };
	return 0;
}

static int terminal(const struct oci_node *process, struct spec_process *p, struct err *err)
{
	struct oci_node size;
	uint64_t rows = 0, columns = 0;
	if (oci_bool(process, "terminal", &p->terminal, err) < 0)
		return -1;
	if (!p->terminal) // then consoleSize is to be ignored
		return 0;
	if (oci_object(process, "consoleSize", &size, err) < 0 || oci_u64(&size, "height", USHRT_MAX, &rows, err) < 0 ||
	    oci_u64(&size, "width", USHRT_MAX, &columns, err) < 0)
		return -1;
	if (rows && columns) {
		p->rows = (unsigned short)rows;
		p->columns = (unsigned short)columns;
	}
	return 0;
}

static int affinity(struct arena *arena, const struct oci_node *process, struct spec_process *p, struct err *err)
{
	struct oci_node cpus;
	if (oci_object(process, "execCPUAffinity", &cpus, err) < 0 || oci_list(arena, &cpus, "initial", &p->cpus_initial, err) < 0)
		return -1;
	return oci_list(arena, &cpus, "final", &p->cpus_final, err);
}

static int program(struct arena *arena, const struct oci_node *process, struct spec_process *p, struct err *err)
{
	if (oci_strings(arena, process, "args", &p->args, err) < 0 || oci_require(process, "cwd", err) < 0 ||
	    oci_string(arena, process, "cwd", &p->cwd, err) < 0)
		return -1;
	if (!p->args.count)
		return oci_bad_member(process, "args", "must not be empty", err);
	return p->cwd && *p->cwd == '/' ? 0 : oci_bad_member(process, "cwd", "is not an absolute path", err);
}

// What is the container's rather than its process's, and what the container's own process has for one that says nothing of it.
static void inherit(struct spec_process *p, const struct spec_process *of)
{
	p->seccomp = of->seccomp;
	p->seccomp_file = of->seccomp_file;
	p->seccomp_json = of->seccomp_json;
	p->seccomp_strict = of->seccomp_strict;
	p->seccomp_listener = of->seccomp_listener;
	p->seccomp_metadata = of->seccomp_metadata;
	p->keep_groups = of->keep_groups;
	if (!p->apparmor_profile)
		p->apparmor_profile = of->apparmor_profile;
	if (!p->selinux_label)
		p->selinux_label = of->selinux_label;
	if (!p->oom_score_adj.given)
		p->oom_score_adj = of->oom_score_adj;
	if (!p->rlimit_count) {
		memcpy(p->rlimits, of->rlimits, sizeof(p->rlimits));
		p->rlimit_count = of->rlimit_count;
	}
}

int oci_process(struct arena *arena, const struct spec *container, const struct oci_node *process, struct spec_process *out,
		char **out_home, struct err *err)
{
	struct spec_process p = { .interactive = true };
	if (program(arena, process, &p, err) < 0 || environment(arena, process, &p.env, err) < 0 ||
	    terminal(process, &p, err) < 0 || user(arena, container, process, &p, err) < 0 ||
	    capabilities(container, process, &p.caps, err) < 0 || rlimits(process, &p, err) < 0)
		return -1;
	if (oci_bool(process, "noNewPrivileges", &p.no_new_privileges, err) < 0 ||
	    oci_number(process, "oomScoreAdj", -OOM_MOST, OOM_MOST, &p.oom_score_adj, err) < 0 ||
	    oci_string(arena, process, "apparmorProfile", &p.apparmor_profile, err) < 0 ||
	    oci_string(arena, process, "selinuxLabel", &p.selinux_label, err) < 0 || scheduler(process, &p.scheduler, err) < 0 ||
	    io_priority(process, &p.io_priority, err) < 0 || affinity(arena, process, &p, err) < 0)
		return -1;
	inherit(&p, &container->process);
	*out_home = home_slot(arena, &p.env);
	*out = p;
	return 0;
}

int oci_process_to_spec(struct arena *arena, const json_t *process, const struct spec *container, struct spec_process *out_process,
			char **out_home, struct err *err)
{
	const struct oci_node node = { .value = process, .key = "process" };
	if (!json_is_object(process))
		return oci_bad(&node, "is not an object", err);
	return oci_process(arena, container, &node, out_process, out_home, err);
}
