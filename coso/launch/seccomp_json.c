// SPDX-License-Identifier: GPL-2.0-or-later
// seccomp_json.c - a seccomp profile from JSON, Docker's format or the OCI's

#include "coso/launch/seccomp_json.h"

#include "coso/launch/seccomp_builtin.h"
#include "coso/launch/seccomp_words.h"
#include "coso/spec/capset.h"
#include "coso/spec/oci_json.h"
#include "shared/num.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { ERRNO_MAX = 4095, TRACE_MAX = 65535 };

struct reader {
	struct seccomp_profile *profile;
	struct arena *arena;
	const struct seccomp_host *host;
	const char *where; // goes before every place
	size_t names;      // read so far
	struct err *err;
};

static int bad(struct reader *reader, const char *place, const json_t *value, const char *reason)
{
	char shown[OCI_SHOWN];

	oci_show(value, shown);
	return err_set(reader->err, EINVAL, "%s%s: %s%s%s", reader->where, place, shown, *shown ? " " : "", reason);
}

// A member of an object; what is null isn't there, as in Go.
static const json_t *member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static const char *place_of(struct reader *reader, const char *place, const char *key)
{
	return *place ? arena_printf(reader->arena, "%s.%s", place, key) : key;
}

static const char *place_at(struct reader *reader, const char *place, size_t index)
{
	return arena_printf(reader->arena, "%s[%zu]", place, index);
}

// A member that must be an array if it is there; *out_array NULL if it isn't.
static int array_read(struct reader *reader, const json_t *object, const char *place, const char *key, const json_t **out_array)
{
	*out_array = member(object, key);
	if (*out_array && !json_is_array(*out_array))
		return bad(reader, place_of(reader, place, key), *out_array, "is not an array");
	return 0;
}

static int word_read(struct reader *reader, enum seccomp_words kind, const json_t *value, const char *place, uint32_t *out)
{
	if (!value)
		return bad(reader, place, NULL, "is missing");
	if (!json_is_string(value))
		return bad(reader, place, value, "is not a string");
	if (!seccomp_words_find(kind, json_string_value(value), out))
		return bad(reader, place, value, "is unknown, or not supported");
	return 0;
}

static int number_read(struct reader *reader, const json_t *object, const char *place, const char *key, uint64_t max, uint64_t *out)
{
	const json_t *value = member(object, key);
	bool negative;
	uint64_t bits;

	if (!value)
		return 0; // *out stays what it was
	if (!oci_integer(value, &negative, &bits))
		return bad(reader, place_of(reader, place, key), value, "is not a number");
	if (negative || bits > max)
		return bad(reader, place_of(reader, place, key), value, "is out of range");
	*out = bits;
	return 0;
}

// An action with its errno: EPERM unless it is given. Only two actions carry one.
static int action_read(struct reader *reader, const json_t *object, const char *place, const char *const keys[2], uint32_t *out)
{
	uint64_t data = EPERM;
	uint32_t action = 0;

	if (word_read(reader, SECCOMP_WORDS_ACTIONS, member(object, keys[0]), place_of(reader, place, keys[0]), &action))
		return -1;
	bool carries = action == SCMP_ACT_ERRNO(0) || action == SCMP_ACT_TRACE(0);

	if (!carries && member(object, keys[1]))
		return bad(reader, place_of(reader, place, keys[1]), member(object, keys[1]), "goes with SCMP_ACT_ERRNO only");
	if (number_read(reader, object, place, keys[1], action == SCMP_ACT_TRACE(0) ? TRACE_MAX : ERRNO_MAX, &data))
		return -1;
	*out = carries ? action | (uint32_t)data : action;
	return 0;
}

static int condition_read(struct reader *reader, const json_t *value, const char *place, struct seccomp_rule *rule)
{
	struct seccomp_condition condition = { 0 };
	uint64_t index = 6;
	uint32_t op = 0;

	if (!json_is_object(value))
		return bad(reader, place, value, "is not an object");
	if (word_read(reader, SECCOMP_WORDS_OPERATORS, member(value, "op"), place_of(reader, place, "op"), &op) ||
	    number_read(reader, value, place, "index", 5, &index) ||
	    number_read(reader, value, place, "value", UINT64_MAX, &condition.value) ||
	    number_read(reader, value, place, "valueTwo", UINT64_MAX, &condition.value_two))
		return -1;
	if (index > 5)
		return bad(reader, place_of(reader, place, "index"), NULL, "is missing");
	if (!member(value, "value"))
		return bad(reader, place_of(reader, place, "value"), NULL, "is missing");
	condition.index = (unsigned int)index;
	condition.op = (int)op;
	rule->conditions[rule->condition_count++] = condition;
	return 0;
}

static int conditions_read(struct reader *reader, const json_t *object, const char *place, struct seccomp_rule *rule)
{
	const json_t *args, *value;
	size_t i;

	if (array_read(reader, object, place, "args", &args))
		return -1;
	if (json_array_size(args) > SECCOMP_CONDITIONS_MAX)
		return bad(reader, place_of(reader, place, "args"), NULL, "has more than 6 conditions");
	json_array_foreach(args, i, value)
		if (condition_read(reader, value, place_at(reader, place_of(reader, place, "args"), i), rule))
			return -1;
	return 0;
}

static int name_read(struct reader *reader, const json_t *value, const char *place, struct strv *names)
{
	if (!json_is_string(value))
		return bad(reader, place, value, "is not a string");
	if (++reader->names > SECCOMP_NAMES_MAX)
		return bad(reader, place, NULL, "is one system call too many");
	strv_push(reader->arena, names, arena_strdup(reader->arena, json_string_value(value)));
	return 0;
}

// `names`, or `name` as in Docker's older files.
static int names_read(struct reader *reader, const json_t *object, const char *place, struct strv *out_names)
{
	const json_t *list, *value, *single = member(object, "name");
	size_t i;

	if (array_read(reader, object, place, "names", &list))
		return -1;
	if (single && json_array_size(list))
		return bad(reader, place, NULL, "has both 'name' and 'names'");
	if (single && name_read(reader, single, place_of(reader, place, "name"), out_names))
		return -1;
	json_array_foreach(list, i, value)
		if (name_read(reader, value, place_at(reader, place_of(reader, place, "names"), i), out_names))
			return -1;
	return out_names->count ? 0 : bad(reader, place, NULL, "names no system call");
}

// How Docker calls the machine's architecture in `includes` and `excludes`.
static const char *docker_arch(uint32_t arch)
{
	return arch == SCMP_ARCH_X86_64 ? "amd64" : arch == SCMP_ARCH_AARCH64 ? "arm64" : "";
}

static bool is_host_arch(const struct seccomp_host *host, const char *name)
{
	return !strcmp(name, docker_arch(host->arch));
}

// A capability that COSO doesn't know is one that the container hasn't.
static bool is_host_cap(const struct seccomp_host *host, const char *name)
{
	int number = capset_number(name);

	return number >= 0 && host->caps >> number & 1;
}

// How many of a list of names hold on this host; *out_size: of how many.
static int count_holding(struct reader *reader, const json_t *object, const char *place, const char *key, size_t out_counts[2])
{
	bool (*holds)(const struct seccomp_host *, const char *) = strcmp(key, "caps") ? is_host_arch : is_host_cap;
	const json_t *list, *value;
	size_t i;

	out_counts[0] = out_counts[1] = 0;
	if (array_read(reader, object, place, key, &list))
		return -1;
	json_array_foreach(list, i, value) {
		if (!json_is_string(value))
			return bad(reader, place_at(reader, place_of(reader, place, key), i), value, "is not a string");
		out_counts[0] += holds(reader->host, json_string_value(value));
		out_counts[1]++;
	}
	return 0;
}

// "4.8": is the running kernel at least that?
static int kernel_read(struct reader *reader, const json_t *value, const char *place, bool *out_reached)
{
	struct strv parts = { 0 };
	uint64_t kernel, major;

	if (json_is_string(value))
		parts = str_split(reader->arena, json_string_value(value), '.');
	if (parts.count != 2 || num_u64("", parts.items[0], 0, 255, &kernel, NULL) ||
	    num_u64("", parts.items[1], 0, 255, &major, NULL))
		return bad(reader, place, value, "is not a kernel version such as \"4.8\"");
	*out_reached = reader->host->kernel > kernel || (reader->host->kernel == kernel && reader->host->major >= major);
	return 0;
}

// What `includes` or `excludes` say: whether all of it holds, and whether any of it does.
static int filter_read(struct reader *reader, const json_t *object, const char *place, bool *out_all, bool *out_any)
{
	size_t caps[2], arches[2];
	bool reached = false;

	*out_all = true;
	*out_any = false;
	if (!object)
		return 0;
	if (!json_is_object(object))
		return bad(reader, place, object, "is not an object");
	const json_t *kernel = member(object, "minKernel");

	if (count_holding(reader, object, place, "caps", caps) || count_holding(reader, object, place, "arches", arches) ||
	    (kernel && kernel_read(reader, kernel, place_of(reader, place, "minKernel"), &reached)))
		return -1;
	*out_all = caps[0] == caps[1] && (arches[0] || !arches[1]) && (reached || !kernel);
	*out_any = caps[0] || arches[0] || reached;
	return 0;
}

// What COSO itself does once the filter is in place must not wait for the listener: it sends the listener's descriptor with it.
static int notify_check(struct reader *reader, const struct seccomp_rule *rule, const char *place)
{
	for (size_t i = 0; i < rule->names.count; i++)
		if (!strcmp(rule->names.items[i], "write"))
			return bad(reader, place, NULL, "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	reader->profile->notify = true;
	return 0;
}

static int rule_read(struct reader *reader, const json_t *object, const char *place)
{
	static const char *const keys[2] = { "action", "errnoRet" };
	struct seccomp_rule read = { 0 };
	bool included, excluded, unused;

	if (!json_is_object(object))
		return bad(reader, place, object, "is not an object");
	if (names_read(reader, object, place, &read.names) || action_read(reader, object, place, keys, &read.action) ||
	    conditions_read(reader, object, place, &read) ||
	    filter_read(reader, member(object, "includes"), place_of(reader, place, "includes"), &included, &unused) ||
	    filter_read(reader, member(object, "excludes"), place_of(reader, place, "excludes"), &unused, &excluded))
		return -1;
	if (!included || excluded)
		return 0;
	if (read.action == SCMP_ACT_NOTIFY && notify_check(reader, &read, place))
		return -1;
	struct seccomp_rule *rule = seccomp_profile_add_rule(reader->profile, read.action, NULL);

	*rule = read;
	rule->where = arena_printf(reader->arena, "%s%s", reader->where, place);
	return 0;
}

static int rules_read(struct reader *reader, const json_t *object)
{
	const json_t *rules, *value;
	size_t i;

	if (array_read(reader, object, "", "syscalls", &rules))
		return -1;
	if (json_array_size(rules) > SECCOMP_RULES_MAX)
		return bad(reader, "syscalls", NULL, "has more than 4096 rules");
	json_array_foreach(rules, i, value)
		if (rule_read(reader, value, place_at(reader, "syscalls", i)))
			return -1;
	return 0;
}

// True if system calls of that architecture can be made on the machine.
static bool runs_on(uint32_t machine, uint32_t arch)
{
	if (machine == SCMP_ARCH_AARCH64)
		return arch == SCMP_ARCH_AARCH64 || arch == SCMP_ARCH_ARM;
	return arch == SCMP_ARCH_X86_64 || arch == SCMP_ARCH_X86 || arch == SCMP_ARCH_X32;
}

static int arch_list_read(struct reader *reader, const json_t *object, const char *place, const char *key)
{
	const json_t *list, *value;
	uint32_t arch = 0;
	size_t i;

	if (array_read(reader, object, place, key, &list))
		return -1;
	json_array_foreach(list, i, value) {
		const char *at = place_at(reader, place_of(reader, place, key), i);

		if (word_read(reader, SECCOMP_WORDS_ARCHS, value, at, &arch))
			return -1;
		if (runs_on(reader->host->arch, arch))
			seccomp_profile_add_arch(reader->profile, arch);
	}
	return 0;
}

// Docker's list of machines, of which ours counts. The others may be newer than our libseccomp.
static int arch_map_read(struct reader *reader, const json_t *map)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(map, i, entry) {
		const char *place = place_at(reader, "archMap", i);
		const json_t *name = member(entry, "architecture");
		uint32_t arch = 0;

		if (!json_is_object(entry))
			return bad(reader, place, entry, "is not an object");
		if (!json_is_string(name))
			return bad(reader, place_of(reader, place, "architecture"), name, name ? "is not a string" : "is missing");
		if (!seccomp_words_find(SECCOMP_WORDS_ARCHS, json_string_value(name), &arch) || arch != reader->host->arch)
			continue;
		if (arch_list_read(reader, entry, place, "subArchitectures"))
			return -1;
	}
	return 0;
}

static int archs_read(struct reader *reader, const json_t *object)
{
	const json_t *map, *list;

	if (array_read(reader, object, "", "archMap", &map) || array_read(reader, object, "", "architectures", &list))
		return -1;
	if (json_array_size(map) && json_array_size(list))
		return bad(reader, "archMap", NULL, "and 'architectures' are both there: one of them must go");
	return arch_map_read(reader, map) || arch_list_read(reader, object, "", "architectures") ? -1 : 0;
}

static int flags_read(struct reader *reader, const json_t *object)
{
	const json_t *list, *value;
	uint32_t flag = 0;
	size_t i;

	if (array_read(reader, object, "", "flags", &list))
		return -1;
	if (list)
		reader->profile->flags = 0;
	json_array_foreach(list, i, value) {
		if (word_read(reader, SECCOMP_WORDS_FLAGS, value, place_at(reader, "flags", i), &flag))
			return -1;
		reader->profile->flags |= flag;
	}
	return 0;
}

static int listener_read(struct reader *reader, const json_t *object)
{
	const json_t *path = member(object, "listenerPath");

	if (reader->profile->default_action == SCMP_ACT_NOTIFY)
		return bad(reader, "defaultAction", NULL, "SCMP_ACT_NOTIFY cannot be used as default action");
	if (path && !json_is_string(path))
		return bad(reader, "listenerPath", path, "is not a string");
	if (reader->profile->notify && !json_string_length(path))
		return bad(reader, "listenerPath", NULL, "is missing, and SCMP_ACT_NOTIFY is of no use without a listener");
	if (!reader->profile->notify) // seccomp(2): it goes with a listener only
		reader->profile->flags &= ~(unsigned int)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return 0;
}

// The number at the start of *text, behind which *text then points.
static unsigned int digits(const char **text)
{
	unsigned int value = 0;

	for (; isdigit((unsigned char)**text) && value < 10000; ++*text)
		value = value * 10 + (unsigned int)(**text - '0');
	return value;
}

void seccomp_json_host(struct seccomp_host *out_host, uint64_t caps)
{
	struct utsname system = { 0 };
	const char *release = system.release;

	uname(&system);
	*out_host = (struct seccomp_host){ .arch = seccomp_builtin_arch, .caps = caps, .kernel = digits(&release) };
	if (*release == '.') {
		release++;
		out_host->major = digits(&release);
	}
}

int seccomp_json_read(struct seccomp_profile *out_profile, struct arena *arena, const char *text, size_t size,
		      const struct seccomp_host *host, struct err *err)
{
	json_t *root = oci_json_parse("the profile", text, size, err);

	if (!root)
		return -1;
	int rc = seccomp_json_convert(out_profile, arena, root, "", host, err);

	json_decref(root);
	return rc;
}

int seccomp_json_convert(struct seccomp_profile *out_profile, struct arena *arena, const json_t *object, const char *where,
			 const struct seccomp_host *host, struct err *err)
{
	static const char *const keys[2] = { "defaultAction", "defaultErrnoRet" };
	struct seccomp_profile profile;
	struct reader reader = { .profile = &profile, .arena = arena, .host = host, .where = where, .err = err };

	seccomp_profile_init(&profile, arena, host->arch, false);
	if (!json_is_object(object))
		return bad(&reader, "the profile", NULL, "is not a JSON object");
	if (action_read(&reader, object, "", keys, &profile.default_action) || archs_read(&reader, object) ||
	    flags_read(&reader, object) || rules_read(&reader, object) || listener_read(&reader, object))
		return -1;
	*out_profile = profile;
	return 0;
}
