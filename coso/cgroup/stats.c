// SPDX-License-Identifier: GPL-2.0-or-later
// stats.c - what a group uses, in the shape of runc's `events`: the same from v1 and v2
//
// Time is in nanoseconds, memory in bytes. v1 tells memory and swap together, v2 swap alone: what is told is v1's sum. A number beyond
// 2^63 - 1, such as v2's "max", is that.
#include "coso/cgroup/cgroup.h"
#include "coso/cgroup/hierarchy.h"
#include "shared/file.h"
#include "shared/list.h"
#include "shared/num.h"
#include "shared/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NS_PER_US = 1000, PERCENT = 100 };

static const int64_t NS_PER_S = 1000000000;

// The group that has a controller, and its folder.
struct source {
	struct arena *arena;
	const char *folder; // NULL: there is none
	bool v2;
};

static struct source find(const struct cgroup *cgroup, struct arena *arena, const char *controller)
{
	struct source source = { .arena = arena };
	for (size_t i = 0; i < cgroup->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &cgroup->hierarchies[i];
		if (!hierarchy->folder || (!hierarchy->v2 && !hierarchy_listed(hierarchy->controllers, controller)))
			continue;
		if (source.folder && hierarchy->v2)
			continue;
		source.folder = hierarchy->folder;
		source.v2 = hierarchy->v2;
	}
	return source;
}

static struct source find_v2(const struct cgroup *cgroup, struct arena *arena)
{
	return find(cgroup, arena, "no controller of v1");
}

static const char *text_of(const struct source *source, const char *file)
{
	char *text = NULL;
	if (source->folder)
		text = file_read(source->arena, AT_FDCWD, arena_printf(source->arena, "%s/%s", source->folder, file), FILE_SMALL,
				 NULL, NULL);
	for (size_t length = text ? strlen(text) : 0; length && text[length - 1] == '\n';)
		text[--length] = '\0';
	return text;
}

static struct strv lines_of(const struct source *source, const char *file)
{
	const char *text = text_of(source, file);
	return text ? str_split(source->arena, text, '\n') : (struct strv){ 0 };
}

// False if it is no number; what is too large for JSON's integers is the largest one.
static bool number(const char *text, int64_t *out)
{
	uint64_t value = 0;
	if (str_eq(text, "max"))
		value = INT64_MAX;
	else if (num_u64("", text, 0, UINT64_MAX, &value, NULL) < 0)
		return false;
	*out = value > INT64_MAX ? INT64_MAX : (int64_t)value;
	return true;
}

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

// Adds the number that is all of a file, if there is one. *out_value (or NULL) stays else.
static void set_file(json_t *object, const char *key, const struct source *source, const char *file, int64_t *out_value)
{
	const char *text = text_of(source, file);
	int64_t value = 0;
	if (!text || !number(text, &value))
		return;
	set(object, key, json_integer(value));
	if (out_value)
		*out_value = value;
}

// The number behind a name in a file of lines "NAME NUMBER"; -1: there is none.
static int64_t field(const struct strv *lines, const char *name)
{
	size_t length = strlen(name);
	int64_t value = -1;
	for (size_t i = 0; i < lines->count; i++)
		if (strncmp(lines->items[i], name, length) == 0 && lines->items[i][length] == ' ')
			number(lines->items[i] + length + 1, &value);
	return value;
}

static void set_field(json_t *object, const char *key, const struct strv *lines, const char *name, int64_t scale)
{
	int64_t value = field(lines, name);
	if (value >= 0)
		set(object, key, json_integer(value > INT64_MAX / scale ? INT64_MAX : value * scale));
}

// "some avg10=0.12 avg60=0.00 avg300=0.00 total=123", and the same for "full". Documentation/accounting/psi.rst
static void set_pressure(json_t *object, const struct source *source, const char *file)
{
	struct strv lines = lines_of(source, file);
	json_t *psi = json_object();
	for (size_t i = 0; i < lines.count; i++) {
		struct strv words = str_split(source->arena, lines.items[i], ' ');
		json_t *numbers = json_object();
		for (size_t j = 1; j < words.count; j++) {
			char *equals = strchr(words.items[j], '=');
			uint64_t hundredths = 0;
			int64_t total = 0;
			if (!equals)
				continue;
			*equals = '\0';
			if (str_eq(words.items[j], "total") && number(equals + 1, &total))
				set(numbers, "total", json_integer(total));
			else if (num_decimal("", equals + 1, PERCENT, &hundredths, NULL) == 0)
				set(numbers, words.items[j], json_real((double)hundredths / PERCENT));
		}
		set(psi, words.items[0], numbers);
	}
	if (json_object_size(psi))
		set(object, "psi", psi);
	else
		json_decref(psi);
}

// "CPU USER SYSTEM" a line, after a head.
static void usage_of_each(json_t *usage, const struct source *source)
{
	struct strv lines = lines_of(source, "cpuacct.usage_all");
	if (lines.count < 2)
		return;
	json_t *user = json_array(), *kernel = json_array();
	int64_t sums[2] = { 0 };
	for (size_t i = 1; i < lines.count; i++) {
		struct strv words = str_split(source->arena, lines.items[i], ' ');
		int64_t values[2] = { 0 };
		for (size_t j = 0; j < 2 && words.count > 2; j++)
			if (number(words.items[j + 1], &values[j]))
				sums[j] += values[j];
		json_array_append_new(user, json_integer(values[0]));
		json_array_append_new(kernel, json_integer(values[1]));
	}
	set(usage, "percpu_user", user);
	set(usage, "percpu_kernel", kernel);
	set(usage, "user", json_integer(sums[0]));
	set(usage, "kernel", json_integer(sums[1]));
}

static void usage_v1(json_t *usage, const struct source *source)
{
	struct strv ticks = lines_of(source, "cpuacct.stat");
	const char *text = text_of(source, "cpuacct.usage_percpu");
	struct strv words = str_split(source->arena, text ? text : "", ' ');
	json_t *each = json_array();
	int64_t value = 0;
	for (size_t i = 0; i < words.count; i++)
		if (number(words.items[i], &value))
			json_array_append_new(each, json_integer(value));
	set(usage, "percpu", each);
	set_file(usage, "total", source, "cpuacct.usage", NULL);
	set_field(usage, "user", &ticks, "user", NS_PER_S / sysconf(_SC_CLK_TCK));
	set_field(usage, "kernel", &ticks, "system", NS_PER_S / sysconf(_SC_CLK_TCK));
	usage_of_each(usage, source);
}

static json_t *cpu(const struct cgroup *cgroup, struct arena *arena)
{
	struct source cpu = find(cgroup, arena, "cpu"), accounts = find(cgroup, arena, "cpuacct"), v2 = find_v2(cgroup, arena);
	struct strv stat = lines_of(&cpu, "cpu.stat"), whole = lines_of(&v2, "cpu.stat");
	json_t *object = json_object(), *usage = json_object(), *throttling = json_object();
	if (accounts.folder && !accounts.v2) {
		usage_v1(usage, &accounts);
	} else {
		set_field(usage, "total", &whole, "usage_usec", NS_PER_US);
		set_field(usage, "user", &whole, "user_usec", NS_PER_US);
		set_field(usage, "kernel", &whole, "system_usec", NS_PER_US);
	}
	set_field(throttling, "periods", &stat, "nr_periods", 1);
	set_field(throttling, "throttledPeriods", &stat, "nr_throttled", 1);
	set_field(throttling, "throttledTime", &stat, "throttled_time", 1);
	set_field(throttling, "throttledTime", &stat, "throttled_usec", NS_PER_US);
	set(object, "usage", usage);
	set(object, "throttling", throttling);
	set_pressure(object, &v2, "cpu.pressure");
	return object;
}

static void set_list(json_t *object, const char *key, const struct source *source, const char *file)
{
	const char *text = text_of(source, file);
	struct list list;
	if (!text || list_parse("", text, &list, NULL) < 0)
		return;
	json_t *numbers = json_array();
	for (int i = 0; i < LIST_MAX; i++)
		if (list.bits[i / LIST_WORD] >> (i % LIST_WORD) & 1)
			json_array_append_new(numbers, json_integer(i));
	set(object, key, numbers);
}

static json_t *cpuset(const struct cgroup *cgroup, struct arena *arena)
{
	static const char *const files[] = { "cpu_exclusive",   "mem_hardwall",       "mem_exclusive",
					     "memory_migrate",  "memory_spread_page", "memory_spread_slab",
					     "memory_pressure", "sched_load_balance", "sched_relax_domain_level" };
	struct source source = find(cgroup, arena, "cpuset");
	json_t *object = json_object();
	set_list(object, "cpus", &source, source.v2 ? "cpuset.cpus.effective" : "cpuset.cpus");
	set_list(object, "mems", &source, source.v2 ? "cpuset.mems.effective" : "cpuset.mems");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !source.v2; i++)
		set_file(object, files[i], &source, arena_printf(arena, "cpuset.%s", files[i]), NULL);
	return object;
}

// The four files that v1 has of each kind of memory.
static json_t *memory_v1(const struct source *source, const char *kind)
{
	json_t *object = json_object();
	set_file(object, "limit", source, arena_printf(source->arena, "memory.%slimit_in_bytes", kind), NULL);
	set_file(object, "usage", source, arena_printf(source->arena, "memory.%susage_in_bytes", kind), NULL);
	set_file(object, "max", source, arena_printf(source->arena, "memory.%smax_usage_in_bytes", kind), NULL);
	set_file(object, "failcnt", source, arena_printf(source->arena, "memory.%sfailcnt", kind), NULL);
	return object;
}

static int64_t sum(int64_t a, int64_t b)
{
	return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void memory_v2(json_t *object, const struct source *source)
{
	struct strv events = lines_of(source, "memory.events");
	json_t *usage = json_object(), *swap = json_object();
	int64_t limit = -1, used = -1, swap_limit = -1, swap_used = -1;
	set_file(usage, "limit", source, "memory.max", &limit);
	set_file(usage, "usage", source, "memory.current", &used);
	set_file(usage, "max", source, "memory.peak", NULL); // Linux 5.19
	set_field(usage, "failcnt", &events, "max", 1);
	set_file(swap, "limit", source, "memory.swap.max", &swap_limit);
	set_file(swap, "usage", source, "memory.swap.current", &swap_used);
	if (limit >= 0 && swap_limit >= 0)
		set(swap, "limit", json_integer(sum(limit, swap_limit)));
	if (used >= 0 && swap_used >= 0)
		set(swap, "usage", json_integer(sum(used, swap_used)));
	set(object, "usage", usage);
	set(object, "swap", swap);
}

static json_t *memory(const struct cgroup *cgroup, struct arena *arena)
{
	struct source source = find(cgroup, arena, "memory"), v2 = find_v2(cgroup, arena);
	struct strv stat = lines_of(&source, "memory.stat");
	json_t *object = json_object(), *raw = json_object();
	int64_t value = 0;
	for (size_t i = 0; i < stat.count; i++) {
		char *space = strchr(stat.items[i], ' ');
		if (space && number(space + 1, &value))
			set(raw, arena_strndup(arena, stat.items[i], (size_t)(space - stat.items[i])), json_integer(value));
	}
	set_field(object, "cache", &stat, source.v2 ? "file" : "cache", 1);
	if (source.v2) {
		memory_v2(object, &source);
	} else {
		set(object, "usage", memory_v1(&source, ""));
		set(object, "swap", memory_v1(&source, "memsw."));
		set(object, "kernel", memory_v1(&source, "kmem."));
		set(object, "kernelTCP", memory_v1(&source, "kmem.tcp."));
	}
	set(object, "raw", raw);
	set_pressure(object, &v2, "memory.pressure");
	return object;
}

static json_t *pids(const struct cgroup *cgroup, struct arena *arena)
{
	struct source source = find(cgroup, arena, "pids");
	const char *limit = text_of(&source, "pids.max");
	int64_t value = 0;
	json_t *object = json_object();
	set_file(object, "current", &source, "pids.current", NULL);
	if (limit && !str_eq(limit, "max") && number(limit, &value))
		set(object, "limit", json_integer(value));
	return object;
}

static void add_entry(json_t *array, const char *device, const char *operation, const char *text)
{
	int64_t numbers[3] = { 0 };
	own_arena struct arena arena = { 0 };
	struct strv parts = str_split(&arena, device, ':');
	if (parts.count != 2 || !number(parts.items[0], &numbers[0]) || !number(parts.items[1], &numbers[1]) ||
	    !number(text, &numbers[2]))
		return;
	json_t *entry = json_object();
	set(entry, "major", json_integer(numbers[0]));
	set(entry, "minor", json_integer(numbers[1]));
	set(entry, "op", json_string(operation));
	set(entry, "value", json_integer(numbers[2]));
	json_array_append_new(array, entry);
}

// "8:0 Read 123" or "8:0 123" a line. The first of the files that isn't empty: those of bfq, of cfq, of throttling.
static json_t *io_v1(const struct source *source, const char *name, const char *throttled)
{
	const char *const files[] = { arena_printf(source->arena, "blkio.bfq.%s", name),
				      arena_printf(source->arena, "blkio.%s", name), throttled };
	json_t *array = json_array();
	for (size_t i = 0; i < 3 && json_array_size(array) == 0 && files[i]; i++) {
		struct strv lines = lines_of(source, files[i]);
		for (size_t j = 0; j < lines.count; j++) {
			struct strv words = str_split(source->arena, lines.items[j], ' ');
			if (words.count == 3)
				add_entry(array, words.items[0], words.items[1], words.items[2]);
			else if (words.count == 2)
				add_entry(array, words.items[0], "", words.items[1]);
		}
	}
	return array;
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" a line.
static void io_v2(json_t *object, const struct source *source)
{
	static const struct {
		const char *key, *operation;
		bool bytes;
	} kinds[] = { { "rbytes=", "Read", true }, { "wbytes=", "Write", true }, { "dbytes=", "Discard", true },
		      { "rios=", "Read", false },  { "wios=", "Write", false },  { "dios=", "Discard", false } };
	struct strv lines = lines_of(source, "io.stat");
	json_t *bytes = json_array(), *operations = json_array();
	for (size_t i = 0; i < lines.count; i++) {
		struct strv words = str_split(source->arena, lines.items[i], ' ');
		for (size_t j = 1; j < words.count; j++)
			for (size_t kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++)
				if (str_starts(words.items[j], kinds[kind].key))
					add_entry(kinds[kind].bytes ? bytes : operations, words.items[0], kinds[kind].operation,
						  words.items[j] + strlen(kinds[kind].key));
	}
	set(object, "ioServiceBytesRecursive", bytes);
	set(object, "ioServicedRecursive", operations);
}

static json_t *blkio(const struct cgroup *cgroup, struct arena *arena)
{
	static const char *const names[][2] = { { "ioQueueRecursive", "io_queued_recursive" },
						{ "ioServiceTimeRecursive", "io_service_time_recursive" },
						{ "ioWaitTimeRecursive", "io_wait_time_recursive" },
						{ "ioMergedRecursive", "io_merged_recursive" },
						{ "ioTimeRecursive", "time_recursive" },
						{ "sectorsRecursive", "sectors_recursive" } };
	struct source source = find(cgroup, arena, "blkio"), v2 = find_v2(cgroup, arena);
	json_t *object = json_object();
	if (source.v2) {
		io_v2(object, &source);
	} else if (source.folder) {
		set(object, "ioServiceBytesRecursive",
		    io_v1(&source, "io_service_bytes_recursive", "blkio.throttle.io_service_bytes_recursive"));
		set(object, "ioServicedRecursive", io_v1(&source, "io_serviced_recursive", "blkio.throttle.io_serviced_recursive"));
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			set(object, names[i][0], io_v1(&source, names[i][1], NULL));
	}
	set_pressure(object, &v2, "io.pressure");
	return object;
}

// Sizes of huge pages are those of the host: "hugepages-2048kB".
static json_t *hugetlb(const struct cgroup *cgroup, struct arena *arena)
{
	struct source source = find(cgroup, arena, "hugetlb");
	json_t *object = json_object();
	DIR *dir = source.folder ? opendir("/sys/kernel/mm/hugepages") : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		uint64_t size = 0;
		if (!str_starts(entry->d_name, "hugepages-") ||
		    num_size("", entry->d_name + strlen("hugepages-"), &size, NULL) < 0 || size == 0)
			continue;
		unsigned int shift = size >> 30 ? 30 : size >> 20 ? 20 : 10;
		const char *name = arena_printf(arena, "%llu%cB", (unsigned long long)(size >> shift), "KMG"[shift / 10 - 1]);
		json_t *pages = json_object();
		if (source.v2) {
			struct strv events = lines_of(&source, arena_printf(arena, "hugetlb.%s.events", name));
			set_file(pages, "usage", &source, arena_printf(arena, "hugetlb.%s.current", name), NULL);
			set_field(pages, "failcnt", &events, "max", 1);
		} else {
			set_file(pages, "usage", &source, arena_printf(arena, "hugetlb.%s.usage_in_bytes", name), NULL);
			set_file(pages, "max", &source, arena_printf(arena, "hugetlb.%s.max_usage_in_bytes", name), NULL);
			set_file(pages, "failcnt", &source, arena_printf(arena, "hugetlb.%s.failcnt", name), NULL);
		}
		if (json_object_size(pages))
			set(object, name, pages);
		else
			json_decref(pages);
	}
	if (dir)
		closedir(dir);
	return object;
}

struct json_t *cgroup_stats(const struct cgroup *cgroup)
{
	own_arena struct arena arena = { 0 };
	json_t *object = json_object();
	set(object, "cpu", cpu(cgroup, &arena));
	set(object, "cpuset", cpuset(cgroup, &arena));
	set(object, "memory", memory(cgroup, &arena));
	set(object, "pids", pids(cgroup, &arena));
	set(object, "blkio", blkio(cgroup, &arena));
	set(object, "hugetlb", hugetlb(cgroup, &arena));
	return object;
}
