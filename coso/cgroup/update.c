// SPDX-License-Identifier: GPL-2.0-or-later
// update.c - other limits for a group that is in use
//
// What isn't given stays. Where one file holds two values (cpu.max), or one value means another (the limit of memory and swap together),
// the half that isn't given is read from the group first. The order that the kernel needs is found by settings_apply. Before anything is
// written the old values are remembered; a failure puts them back.
#include "coso/cgroup/extend.h"
#include "coso/cgroup/hierarchy.h"
#include "coso/cgroup/prepare.h"
#include "coso/cgroup/settings.h"
#include "coso/cgroup/systemd.h"
#include "shared/file.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>

static const int64_t UNLIMITED = INT64_MAX - (1 << 20); // v1's largest is less than that by a page

// A file of the group's where it has the controller; NULL: it has none.
static const char *read_file(const struct cgroup *cgroup, const char *controller, const char *v1, const char *v2)
{
	int index = hierarchy_find(cgroup, controller);
	const struct cgroup_hierarchy *hierarchy = index < 0 ? NULL : &cgroup->hierarchies[index];
	const char *file = hierarchy && hierarchy->v2 ? v2 : v1;
	if (!hierarchy || !hierarchy->folder || !file)
		return NULL;
	char *text = file_read(cgroup->arena, AT_FDCWD, arena_printf(cgroup->arena, "%s/%s", hierarchy->folder, file), FILE_SMALL,
			       NULL, NULL);
	if (text)
		str_clean(text);
	return text;
}

// The number in such a file; -1 where it is unlimited, or isn't there.
static int64_t read_number(const struct cgroup *cgroup, const char *controller, const char *v1, const char *v2)
{
	const char *text = read_file(cgroup, controller, v1, v2);
	int64_t value = -1;
	if (text)
		num_i64("", text, 0, INT64_MAX, &value, NULL);
	return value > UNLIMITED ? -1 : value;
}

// v2: quota and period are one file.
static void complete_cpu(const struct cgroup *cgroup, struct spec_resources *resources)
{
	const char *text = read_file(cgroup, "cpu", NULL, "cpu.max");
	struct strv words = str_split(cgroup->arena, text ? text : "", ' ');
	if (words.count != 2)
		return;
	if (resources->cpu_period && !resources->cpu_quota &&
	    num_i64("", words.items[0], 1, INT64_MAX, &resources->cpu_quota, NULL) < 0)
		resources->cpu_quota = -1;
	if (resources->cpu_quota && !resources->cpu_period)
		num_u64("", words.items[1], 1, UINT64_MAX, &resources->cpu_period, NULL);
}

// v2's swap limit is the difference to a limit of memory, which may stay as it is.
static void complete_memory(const struct cgroup *cgroup, struct spec_resources *resources)
{
	if (resources->memory_swap > 0 && !resources->memory_limit)
		resources->memory_limit = read_number(cgroup, "memory", "memory.limit_in_bytes", "memory.max");
}

static int check_usage(const struct cgroup *cgroup, const struct spec_resources *resources, struct err *err)
{
	if (!resources->memory_check)
		return 0;
	int64_t usage = read_number(cgroup, "memory", "memory.usage_in_bytes", "memory.current");
	if (resources->memory_limit > 0 && usage > resources->memory_limit)
		return err_set(err, EINVAL, "rejecting memory limit %lld: %lld bytes are used", (long long)resources->memory_limit,
			       (long long)usage);
	if (resources->memory_swap > 0 && usage > resources->memory_swap)
		return err_set(err, EINVAL, "rejecting memory+swap limit %lld: %lld bytes are used",
			       (long long)resources->memory_swap, (long long)usage);
	return 0;
}

// Has the group be in all hierarchies that the settings take, with their controllers.
static int reach(struct cgroup *cgroup, const struct settings *settings, bool *extended, struct err *err)
{
	bool seen[CGROUP_HIERARCHIES_MAX] = { 0 };
	for (size_t i = 0; i < settings->count; i++) {
		size_t index = settings->items[i].hierarchy;
		if (seen[index])
			continue;
		seen[index] = true;
		if (cgroup->hierarchies[index].folder) {
			if (cgroup->hierarchies[index].v2 && prepare_controllers(cgroup, index, settings, false, err) < 0)
				return -1;
			continue;
		}
		if (extend_into(cgroup, index, settings, err) < 0)
			return -1;
		*extended = true;
	}
	return 0;
}

// It sets what it can say itself: a quota in whole percents, and no limit of 0 processes. The values that were asked for come last.
static int tell_systemd(struct cgroup *cgroup, const struct spec_resources *wanted, const struct settings *settings,
			struct err *err)
{
	return systemd_set(cgroup, wanted, err) < 0 ? -1 : settings_apply(cgroup, settings, err);
}

int cgroup_update(struct cgroup *cgroup, const struct spec_resources *resources, bool *out_extended, struct err *err)
{
	struct spec_resources wanted = *resources;
	struct settings settings, old;
	bool extended = false;
	if (extend_learn(cgroup, err) < 0)
		return -1;
	complete_cpu(cgroup, &wanted);
	complete_memory(cgroup, &wanted);
	if (settings_plan(cgroup, &wanted, &settings, err) < 0 || check_usage(cgroup, &wanted, err) < 0)
		return -1;
	int result = reach(cgroup, &settings, &extended, err);
	if (out_extended)
		*out_extended = extended;
	if (result < 0)
		return -1;
	settings_remember(cgroup, &settings, &old);
	if (settings_apply(cgroup, &settings, err) == 0 && (!cgroup->unit || tell_systemd(cgroup, &wanted, &settings, err) == 0))
		return 0;
	settings_restore(cgroup, &old);
	return -1;
}
