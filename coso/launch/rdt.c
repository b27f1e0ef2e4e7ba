// SPDX-License-Identifier: GPL-2.0-or-later
// rdt.c - shares of cache and memory bandwidth, as groups of resctrl
#include "coso/launch/rdt.h"

#include "shared/file.h"
#include "shared/mountinfo.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const char *rdt_find(struct arena *arena, const char *mountinfo, struct err *err)
{
	struct mountinfo m;
	char *save = NULL;
	char *text = mountinfo ? arena_strdup(arena, mountinfo) :
				 file_read(arena, AT_FDCWD, "/proc/self/mountinfo", FILE_CONFIG, NULL, err);
	if (!text)
		return NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (mountinfo_parse(line, &m) && str_eq(m.type, "resctrl"))
			return m.point;
	}
	err_set(err, ENOTSUP,
		"intelRdt: no resctrl file system is mounted (mount -t resctrl resctrl /sys/fs/resctrl; it takes a CPU that has it)");
	return NULL;
}

struct rdt rdt_locate(struct arena *arena, const char *root, const struct spec_rdt *spec, const char *id)
{
	const char *class = spec->class && *spec->class ? spec->class : NULL;
	struct rdt rdt = { .arena = arena, .spec = spec, .root = root, .own = !class };
	rdt.group = str_eq(class, "/") ? root : arena_printf(arena, "%s/%s", root, class ? class : id);
	if (spec->monitoring)
		rdt.monitor = arena_printf(arena, "%s/mon_groups/%s", rdt.group, id);
	return rdt;
}

// The lines of the schema, in the order in which they are written.
static struct strv schema_lines(const struct rdt *rdt)
{
	struct strv lines = { 0 };
	if (rdt->spec->l3_cache && *rdt->spec->l3_cache)
		strv_push(rdt->arena, &lines, rdt->spec->l3_cache);
	if (rdt->spec->memory_bandwidth && *rdt->spec->memory_bandwidth)
		strv_push(rdt->arena, &lines, rdt->spec->memory_bandwidth);
	for (size_t i = 0; i < rdt->spec->schemata.count; i++)
		strv_push(rdt->arena, &lines, rdt->spec->schemata.items[i]);
	return lines;
}

// The kernel pads masks with zeros, and other numbers with blanks.
static const char *significant(const char *number)
{
	while (number[0] == ' ' || (number[0] == '0' && number[1]))
		number++;
	return number;
}

// "L3:0=ff;1=f" in pieces. An empty list of values: it isn't such a line.
static struct strv split_line(struct arena *arena, const char *line, const char **out_name)
{
	struct strv nothing = { 0 };
	line += strspn(line, " ");
	const char *colon = strchr(line, ':');
	if (!colon)
		return nothing;
	*out_name = arena_strndup(arena, line, (size_t)(colon - line));
	return str_split(arena, colon + 1, ';');
}

static bool same_value(const char *a, const char *b)
{
	size_t domain = strcspn(a, "=");
	return strncmp(a, b, domain) == 0 && a[domain] == '=' && b[domain] == '=' &&
	       strcasecmp(significant(a + domain + 1), significant(b + domain + 1)) == 0;
}

// True if all that `wanted` says is what `lines`, of a schemata file, say too.
static bool has_line(struct arena *arena, const struct strv *lines, const char *wanted)
{
	const char *name = "", *other = "";
	struct strv values = split_line(arena, wanted, &name);
	size_t found = 0;
	for (size_t i = 0; i < lines->count; i++) {
		struct strv theirs = split_line(arena, lines->items[i], &other);
		for (size_t v = 0; theirs.count && str_eq(name, other) && v < values.count; v++) {
			for (size_t t = 0; t < theirs.count; t++)
				found += same_value(values.items[v], theirs.items[t]);
		}
	}
	return values.count && found == values.count;
}

static int compare_schema(const struct rdt *rdt, const struct strv *wanted, struct err *err)
{
	if (wanted->count == 0)
		return 0;
	char *text = file_read(rdt->arena, AT_FDCWD, arena_printf(rdt->arena, "%s/schemata", rdt->group), FILE_SMALL, NULL, err);
	if (!text)
		return err_wrap(err, "intelRdt.closID '%.80s'", rdt->spec->class);
	struct strv lines = str_split(rdt->arena, text, '\n');
	for (size_t i = 0; i < wanted->count; i++) {
		if (!has_line(rdt->arena, &lines, wanted->items[i]))
			return err_set(err, EEXIST, "intelRdt.closID '%.80s': the class is there already, but not with '%.200s'",
				       rdt->spec->class, wanted->items[i]);
	}
	return 0;
}

// 1: the class was made; 0: it was there.
static int use_class(const struct rdt *rdt, struct err *err)
{
	struct stat st;
	struct strv schema = schema_lines(rdt);
	bool there = stat(rdt->group, &st) == 0 && S_ISDIR(st.st_mode);
	if (there && rdt->own)
		return err_set(err, EEXIST, "intelRdt: '%.200s' is there already, from another container or by somebody's hand",
			       rdt->group);
	if (!there && !rdt->own && schema.count == 0)
		return err_set(err, ENOENT, "intelRdt.closID '%.80s': there is no such class, and no schema to make one with",
			       rdt->spec->class);
	if (there)
		return compare_schema(rdt, &schema, err);
	if (mkdir(rdt->group, 0755) == 0)
		return 1;
	err_sys(err, "intelRdt: make '%.200s'", rdt->group);
	return err->code == ENOSPC ? err_hint(err, "the CPU has only so many classes") : -1;
}

int rdt_make(struct rdt *rdt, struct err *err)
{
	int made = use_class(rdt, err);
	if (made < 0)
		return -1;
	rdt->made = made > 0;
	if (!rdt->monitor || mkdir(rdt->monitor, 0755) == 0)
		return 0;
	err_sys(err, "intelRdt.enableMonitoring: make '%.200s'", rdt->monitor);
	if (rdt->made)
		rmdir(rdt->group);
	rdt->made = false;
	return -1;
}

// The kernel says no more than EINVAL, but writes down why.
static int refused(const struct rdt *rdt, const char *text, struct err *err)
{
	char *line = arena_strdup(rdt->arena, text);
	char *said = file_read(rdt->arena, AT_FDCWD, arena_printf(rdt->arena, "%s/info/last_cmd_status", rdt->root), FILE_SMALL,
			       NULL, NULL);
	str_clean(line);
	err_wrap(err, "intelRdt: set '%.200s'", line);
	if (!said)
		return -1;
	str_clean(said);
	return err_hint(err, "%.200s", said);
}

int rdt_set(struct rdt *rdt, struct err *err)
{
	struct strv schema = schema_lines(rdt);
	const char *text = "";
	if (!rdt->made || schema.count == 0)
		return 0;
	for (size_t i = 0; i < schema.count; i++)
		text = arena_printf(rdt->arena, "%s%s\n", text, schema.items[i]);
	if (file_put(AT_FDCWD, arena_printf(rdt->arena, "%s/schemata", rdt->group), text, err) == 0)
		return 0;
	refused(rdt, text, err);
	if (rdt->monitor)
		rmdir(rdt->monitor);
	rmdir(rdt->group);
	rdt->made = false;
	return -1;
}

int rdt_assign(const struct rdt *rdt, pid_t pid, struct err *err)
{
	const char *text = arena_printf(rdt->arena, "%d", (int)pid);
	// A process may only go to a monitoring group of the class that it is in.
	if (file_put(AT_FDCWD, arena_printf(rdt->arena, "%s/tasks", rdt->group), text, err) < 0 ||
	    (rdt->monitor && file_put(AT_FDCWD, arena_printf(rdt->arena, "%s/tasks", rdt->monitor), text, err) < 0))
		return err_wrap(err, "intelRdt: move the process");
	return 0;
}

static int remove_group(const char *path, struct err *err)
{
	if (rmdir(path) == 0 || errno == ENOENT)
		return 0;
	return err_sys(err, "intelRdt: remove '%.200s'", path);
}

int rdt_remove(const struct rdt *rdt, struct err *err)
{
	if (rdt->monitor && remove_group(rdt->monitor, err) < 0)
		return -1;
	return rdt->own ? remove_group(rdt->group, err) : 0;
}
