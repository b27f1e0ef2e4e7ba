// SPDX-License-Identifier: GPL-2.0-or-later
// systemd.c - groups that systemd makes
#include "coso/cgroup/systemd.h"

#include "coso/cgroup/devices.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/settings.h"
#include "coso/spec/caller.h"
#include "shared/fd.h"
#include "shared/installed.h"
#include "shared/list.h"
#include "shared/num.h"
#include "shared/proc.h"
#include "shared/str.h"
#include "shared/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	HELPER_MS = 60000, // it gives up on systemd after 30 s
	OUTPUT_CAP = 8192,
	DEFAULT_PERIOD = 100000, // µs
	US_PER_S = 1000000,
	QUOTA_STEP = 10000, // µs: systemd counts in percent
};

// --- names ---

static bool ends(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && str_eq(text + length - tail, end);
}

// "a-b.slice" is in "a.slice": "/a.slice/a-b.slice". "-.slice" is the root. NULL: it is no slice.
static const char *expand(struct arena *arena, const char *slice)
{
	if (!ends(slice, ".slice") || strchr(slice, '/'))
		return NULL;
	const char *name = arena_strndup(arena, slice, strlen(slice) - strlen(".slice")), *path = "";
	if (str_eq(name, "-"))
		return "";
	if (!*name || *name == '-' || ends(name, "-") || strstr(name, "--"))
		return NULL;
	for (const char *dash = name; dash; dash = strchr(dash + 1, '-')) {
		const char *next = strchr(dash + 1, '-');
		path = arena_printf(arena, "%s/%.*s.slice", path, (int)(next ? next - name : (ptrdiff_t)strlen(name)), name);
	}
	return path;
}

int systemd_parse(struct arena *arena, const struct cgroup_name *name, bool user, struct systemd_name *out_name, struct err *err)
{
	struct systemd_name result = { .slice = user ? "user.slice" : "system.slice" };
	const char *path = name->path ? name->path : arena_printf(arena, ":coso:%s", name->id);
	struct strv parts = str_split(arena, path, ':');
	if (parts.count != 3)
		return err_set(err, EINVAL,
			       "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"%s\" instead",
			       path);
	const char *slice = parts.items[0], *prefix = parts.items[1], *last = parts.items[2];
	if (*slice)
		result.slice = str_eq(slice, "-") ? "-.slice" : slice;
	if (!*last || strchr(last, '/') || strchr(prefix, '/'))
		return err_set(err, EINVAL, "cgroupsPath \"%s\": '%s%s%s' can't be a unit's name", path, prefix, *prefix ? "-" : "",
			       last);
	if (ends(last, ".slice"))
		result.unit = last;
	else
		result.unit = arena_printf(arena, "%s%s%s.scope", prefix, *prefix ? "-" : "", last);
	const char *above = expand(arena, result.slice), *own = ends(last, ".slice") ? expand(arena, last) : NULL;
	if (!above || (ends(last, ".slice") && (!own || !*own)))
		return err_set(err, EINVAL, "cgroupsPath \"%s\": '%s' can't be a slice's name", path, above ? last : result.slice);
	result.group = own ? own : arena_printf(arena, "%s/%s", above, result.unit);
	*out_name = result;
	return 0;
}

bool systemd_is_user(void)
{
	return geteuid() != 0 || caller_look().nested;
}

// --- properties ---

static void add(struct arena *arena, struct strv *words, const char *name, int64_t value)
{
	strv_push(arena, words,
		  value < 0 ? arena_printf(arena, "?%s=uint64 %llu", name, (unsigned long long)UINT64_MAX) :
			      arena_printf(arena, "?%s=uint64 %lld", name, (long long)value));
}

static void add_quota(struct arena *arena, struct strv *words, int64_t quota, uint64_t period)
{
	uint64_t a_second = 0;
	period = period ? period : DEFAULT_PERIOD;
	if (quota > 0 && (uint64_t)quota < UINT64_MAX / US_PER_S)
		a_second = ((uint64_t)quota * US_PER_S / period + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	add(arena, words, "CPUQuotaPerSecUSec", a_second ? (int64_t)a_second : -1);
	add(arena, words, "CPUQuotaPeriodUSec", (int64_t)period);
}

// A set of CPUs or nodes as the bytes of its bits.
static void add_list(struct arena *arena, struct strv *words, const char *name, const char *text)
{
	struct list list;
	const char *bytes = "";
	int last = -1;
	if (list_parse("", text, &list, NULL) < 0)
		return;
	for (int i = 0; i < LIST_MAX; i++)
		if (list.bits[i / LIST_WORD] >> (i % LIST_WORD) & 1)
			last = i / 8;
	for (int i = 0; i <= last; i++) {
		unsigned long byte = list.bits[i * 8 / LIST_WORD] >> (i * 8 % LIST_WORD) & 0xff;
		bytes = arena_printf(arena, "%s%s%lu", bytes, i ? ", " : "", byte);
	}
	strv_push(arena, words, arena_printf(arena, "?%s=@ay [%s]", name, bytes));
}

// Files that are properties: what is unified wins over the rest, so it comes last.
static void add_unified(struct arena *arena, struct strv *words, const char *assignment)
{
	static const char *const names[][2] = {
		{ "memory.max=", "MemoryMax" }, { "memory.high=", "MemoryHigh" },        { "memory.low=", "MemoryLow" },
		{ "memory.min=", "MemoryMin" }, { "memory.swap.max=", "MemorySwapMax" }, { "pids.max=", "TasksMax" },
		{ "cpu.weight=", "CPUWeight" }, { "cpuset.cpus=", "AllowedCPUs" },       { "cpuset.mems=", "AllowedMemoryNodes" },
		{ "io.weight=", "IOWeight" },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!str_starts(assignment, names[i][0]))
			continue;
		const char *value = assignment + strlen(names[i][0]);
		int64_t number = -1;
		if (str_starts(names[i][0], "cpuset."))
			add_list(arena, words, names[i][1], value);
		else if (str_eq(value, "max") || num_i64("", value, 0, INT64_MAX, &number, NULL) == 0)
			add(arena, words, names[i][1], number);
	}
	if (!str_starts(assignment, "cpu.max="))
		return;
	struct strv parts = str_split(arena, assignment + strlen("cpu.max="), ' ');
	int64_t quota = -1;
	uint64_t period = 0;
	num_i64("", parts.items[0], 1, INT64_MAX, &quota, NULL);
	if (parts.count > 1)
		num_u64("", parts.items[1], 1, UINT64_MAX, &period, NULL);
	add_quota(arena, words, quota, period);
}

static void memory_limits(struct arena *arena, const struct spec_resources *r, bool v2, struct strv *words)
{
	if (r->memory_limit)
		add(arena, words, v2 ? "MemoryMax" : "MemoryLimit", r->memory_limit);
	if (r->memory_reservation && v2)
		add(arena, words, "MemoryLow", r->memory_reservation);
	if (v2 && (r->memory_swap < 0 || (r->memory_limit < 0 && !r->memory_swap)))
		add(arena, words, "MemorySwapMax", -1);
	else if (v2 && r->memory_swap > 0 && r->memory_limit > 0)
		add(arena, words, "MemorySwapMax", r->memory_swap - r->memory_limit);
}

static void cpu_limits(struct arena *arena, const struct spec_resources *r, bool v2, struct strv *words)
{
	uint64_t shares = r->cpu_weight ? settings_shares_of_weight(r->cpu_weight) : r->cpu_shares;
	uint64_t weight = r->cpu_weight ? r->cpu_weight : settings_weight_of_shares(r->cpu_shares);
	bool idle = r->cpu_idle.given && r->cpu_idle.value;
	if (v2 && (weight || idle))
		add(arena, words, "CPUWeight", idle ? 0 : (int64_t)weight);
	else if (shares && !v2)
		add(arena, words, "CPUShares", (int64_t)shares);
	if (r->cpu_quota || r->cpu_period)
		add_quota(arena, words, r->cpu_quota, r->cpu_period);
	if (r->cpuset_cpus && v2)
		add_list(arena, words, "AllowedCPUs", r->cpuset_cpus);
	if (r->cpuset_mems && v2)
		add_list(arena, words, "AllowedMemoryNodes", r->cpuset_mems);
}

void systemd_limits(struct arena *arena, const struct spec_resources *r, bool v2, struct strv *out_words)
{
	memory_limits(arena, r, v2, out_words);
	cpu_limits(arena, r, v2, out_words);
	if (r->pids_limit || r->pids_none)
		add(arena, out_words, "TasksMax", r->pids_none ? 1 : r->pids_limit); // it takes no 0; the file does
	uint64_t blkio = r->io_weight ? settings_blkio_weight(r->io_weight) : r->blkio_weight;
	uint64_t io = r->io_weight ? r->io_weight : r->blkio_weight ? settings_io_weight(r->blkio_weight) : 0;
	if (io)
		add(arena, out_words, v2 ? "IOWeight" : "BlockIOWeight", (int64_t)(v2 ? io : blkio));
	for (size_t i = 0; i < r->unified.count; i++)
		add_unified(arena, out_words, r->unified.items[i]);
}

static const char *device_words(struct arena *arena, const struct spec_device_rule *rule)
{
	const char *type = rule->type == 'b' ? "block" : "char";
	const char *which = arena_printf(arena, "/dev/%s/%lld:%lld", type, (long long)rule->major, (long long)rule->minor);
	if (rule->major < 0)
		which = arena_printf(arena, "%s-*", type);
	else if (rule->minor < 0)
		which = arena_printf(arena, "%s-%lld", type, (long long)rule->major);
	return arena_printf(arena, "('%s', '%s')", which, rule->access);
}

// On v1 systemd writes a list of its own each time it applies the unit, as at daemon-reload, so it must know ours. It can't say that
// all is allowed but for some, nor one minor number of all kinds. systemd.resource-control(5)
static int device_properties(struct arena *arena, const struct spec_resources *r, struct strv *out_words, struct err *err)
{
	struct devices_list list;
	const char *allow = "";
	if (devices_reduce(arena, r->devices, r->device_count, &list, err) < 0)
		return -1;
	if (list.allowed)
		return 0;
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].major >= 0 || list.items[i].minor < 0)
			allow = arena_printf(arena, "%s%s%s", allow, *allow ? ", " : "", device_words(arena, &list.items[i]));
	}
	strv_push(arena, out_words, "DevicePolicy='strict'");
	strv_push(arena, out_words, arena_printf(arena, "DeviceAllow=@a(ss) [%s]", allow));
	return 0;
}

static bool guards_devices(const struct cgroup *cgroup)
{
	int devices = hierarchy_find(cgroup, "devices");
	return devices >= 0 && !cgroup->hierarchies[devices].v2;
}

static bool is_v2(const struct cgroup *cgroup)
{
	int memory = hierarchy_find(cgroup, "memory"), v2 = hierarchy_find_v2(cgroup);
	return memory >= 0 ? cgroup->hierarchies[memory].v2 : v2 >= 0 && cgroup->count == 1;
}

static const char *quoted(struct arena *arena, const char *text)
{
	const char *result = "'";
	for (; *text; text++)
		result = arena_printf(arena, "%s%s%c", result, *text == '\'' || *text == '\\' ? "\\" : "", *text);
	return arena_printf(arena, "%s'", result);
}

static void unit_properties(struct arena *arena, const struct cgroup_name *name, const struct systemd_name *parsed, pid_t keeper,
			    struct strv *words)
{
	static const char *const accounting[] = { "CPU", "Memory", "Tasks", "IO", "BlockIO" };
	static const char prefix[] = "org.systemd.property.";
	const char *description = quoted(arena, arena_printf(arena, "coso container %s", name->id ? name->id : parsed->unit));
	strv_push(arena, words, arena_printf(arena, "Description=%s", description));
	strv_push(arena, words, "DefaultDependencies=false");
	if (ends(parsed->unit, ".slice")) {
		strv_push(arena, words, arena_printf(arena, "Wants=[%s]", quoted(arena, parsed->slice)));
	} else {
		strv_push(arena, words, arena_printf(arena, "Slice=%s", quoted(arena, parsed->slice)));
		strv_push(arena, words, "Delegate=true");
		strv_push(arena, words, arena_printf(arena, "PIDs=@au [%d]", (int)keeper));
	}
	for (size_t i = 0; i < sizeof(accounting) / sizeof(*accounting); i++)
		strv_push(arena, words, arena_printf(arena, "?%sAccounting=true", accounting[i]));
	for (size_t i = 0; i < name->property_count; i++)
		if (str_starts(name->properties[i].key, prefix))
			strv_push(
				arena, words,
				arena_printf(arena, "%s=%s", name->properties[i].key + strlen(prefix), name->properties[i].value));
}

// --- the helper ---

// Runs it and returns what it printed, owned by the arena.
static const char *ask(struct arena *arena, bool user, const char *verb, const char *unit, const struct strv *words,
		       struct err *err)
{
	static const char *const passed[] = { "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS" };
	const char *helper = installed_helper(arena, "coso-scope");
	struct strv argv = { 0 }, env = { 0 };
	struct proc_result result = { 0 };
	strv_push(arena, &argv, helper);
	if (user)
		strv_push(arena, &argv, "--user");
	strv_push(arena, &argv, verb);
	strv_push(arena, &argv, unit);
	for (size_t i = 0; i < words->count; i++)
		strv_push(arena, &argv, words->items[i]);
	for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++) {
		const char *value = getenv(passed[i]);
		if (value && *value)
			strv_push(arena, &env, arena_printf(arena, "%s=%s", passed[i], value));
	}
	struct proc_run run = { .path = helper, .argv = argv.items, .env = env.items, .timeout_ms = HELPER_MS, .cap = OUTPUT_CAP };
	if (proc_run(arena, &run, &result, err) < 0) {
		err_wrap(err, "run '%s', which speaks to systemd", helper);
		return NULL;
	}
	if (result.status == 0) {
		str_clean(result.out);
		return result.out;
	}
	str_clean(result.err);
	const char *said = str_starts(result.err, "coso-scope: ") ? result.err + strlen("coso-scope: ") : result.err;
	err_set(err, EIO, "systemd: %s", *said ? said : "coso-scope failed");
	return NULL;
}

// --- the unit ---

// A process that does nothing, holds nothing, and ends with the caller or by systemd_release. Returns its pidfd.
static int start_keeper(pid_t *out_pid, struct err *err)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&pidfd, .exit_signal = SIGCHLD };
	pid_t parent = getpid();
	int pid = sys_clone3(&args);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent && setsid() >= 0 && sys_close_range(0, ~0U, 0) == 0)
			for (;;)
				pause();
		_exit(1);
	}
	if (pid < 0)
		return err_sys(err, "fork");
	*out_pid = pid;
	return pidfd;
}

void systemd_release(struct cgroup *cgroup)
{
	int status;
	if (cgroup->keeper < 0)
		return;
	sys_pidfd_send_signal(cgroup->keeper, SIGKILL);
	proc_wait(cgroup->keeper, -1, &status);
	fd_close(&cgroup->keeper);
}

int systemd_start(struct cgroup *cgroup, const struct cgroup_name *name, const struct spec_resources *resources, struct err *err)
{
	struct systemd_name parsed;
	struct strv words = { 0 };
	pid_t keeper = 0;
	if (systemd_parse(cgroup->arena, name, cgroup->unit_user, &parsed, err) < 0)
		return -1;
	if (!ends(parsed.unit, ".slice") && (cgroup->keeper = start_keeper(&keeper, err)) < 0)
		return -1;
	unit_properties(cgroup->arena, name, &parsed, keeper, &words);
	systemd_limits(cgroup->arena, resources, is_v2(cgroup), &words);
	if (guards_devices(cgroup) && device_properties(cgroup->arena, resources, &words, err) < 0) {
		systemd_release(cgroup);
		return -1;
	}
	const char *group = ask(cgroup->arena, cgroup->unit_user, "start", parsed.unit, &words, err);
	if (!group || *group != '/') {
		if (group)
			err_set(err, EIO, "systemd: '%.100s' is no control group", group);
		systemd_release(cgroup);
		return -1;
	}
	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->unusable)
			hierarchy->folder = arena_printf(cgroup->arena, "%s%s", hierarchy->mount, group);
	}
	return 0;
}

int systemd_stop(const struct cgroup *cgroup, struct err *err)
{
	own_arena struct arena arena = { 0 };
	return ask(&arena, cgroup->unit_user, "stop", cgroup->unit, &(struct strv){ 0 }, err) ? 0 : -1;
}

int systemd_set(const struct cgroup *cgroup, const struct spec_resources *resources, struct err *err)
{
	own_arena struct arena arena = { 0 };
	struct strv words = { 0 };
	systemd_limits(&arena, resources, is_v2(cgroup), &words);
	return words.count == 0 || ask(&arena, cgroup->unit_user, "set", cgroup->unit, &words, err) ? 0 : -1;
}
