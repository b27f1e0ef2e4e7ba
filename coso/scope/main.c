// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - coso-scope: has systemd make, change and end the unit of a container
//
//   coso-scope [--user] start UNIT [PROPERTY...]    prints the control group of the unit, "/system.slice/a.scope"
//   coso-scope [--user] set UNIT [PROPERTY...]
//   coso-scope [--user] stop UNIT
//
// PROPERTY is NAME=VALUE with the value in GVariant's text form, or ?NAME=VALUE for one that may be unknown to this systemd. A number for
// a name in …Sec is in seconds, and becomes …USec. Exit status 0, or 1 with one line that says why.
//
// This is a program of its own since libsystemd can't be linked into a static one. coso runs it where the systemd manager of control
// groups is asked for, and nowhere else.
#include "coso/scope/manager.h"
#include "coso/scope/variant.h"
#include "shared/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint64_t US_PER_S = 1000000;

static bool is_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z'))
			return false;
	return strlen(name) >= 3;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

// "TimeoutStopSec" with a number is systemd's own "TimeoutStopUSec".
static int seconds(struct arena *arena, struct property *property, struct err *err)
{
	struct variant *value = &property->value;
	size_t length = strlen(property->name);
	if (length < 4 || !str_eq(property->name + length - 3, "Sec") || !is_lower(property->name[length - 4]))
		return 0;
	uint64_t number = value->number;
	if (value->type == 'd' && value->real >= 0 && value->real < 1e12)
		number = (uint64_t)(value->real * (double)US_PER_S);
	else if (strchr("yqutinx", value->type) && (strchr("yqut", value->type) || (int64_t)number >= 0) &&
		 number <= UINT64_MAX / US_PER_S)
		number *= US_PER_S;
	else
		return err_set(err, EINVAL, "property '%s': a number of seconds is needed", property->name);
	property->name = arena_printf(arena, "%.*sUSec", (int)(length - 3), property->name);
	*value = (struct variant){ .type = 't', .signature = "t", .number = number };
	return 0;
}

static int parse(struct arena *arena, char *const *words, struct properties *out, struct err *err)
{
	for (; *words; words++) {
		bool optional = **words == '?';
		const char *word = *words + optional, *equals = strchr(word, '=');
		struct property property = { .optional = optional };
		property.name = equals ? arena_strndup(arena, word, (size_t)(equals - word)) : word;
		if (!equals || !is_name(property.name))
			return err_set(err, EINVAL, "property '%.100s': NAME=VALUE is needed", word);
		if (variant_parse(arena, equals + 1, strlen(equals + 1), &property.value, err) < 0)
			return err_wrap(err, "property '%s'", property.name);
		if (seconds(arena, &property, err) < 0)
			return -1;
		out->items = arena_grow(arena, out->items, out->count, sizeof(property));
		out->items[out->count++] = property;
	}
	return 0;
}

static int run(struct arena *arena, char *const *words, bool user, struct err *err)
{
	const char *verb = words[0], *unit = verb ? words[1] : NULL;
	bool starts = str_eq(verb, "start"), sets = str_eq(verb, "set"), stops = str_eq(verb, "stop");
	struct properties properties = { 0 };
	own_manager sd_bus *bus = NULL;
	if (!unit || (!starts && !sets && !stops) || (stops && words[2]))
		return err_set(err, EINVAL, "usage: coso-scope [--user] start|set|stop UNIT [NAME=VALUE...]");
	if (parse(arena, words + 2, &properties, err) < 0 || manager_open(user, &bus, err) < 0)
		return -1;
	if (stops)
		return manager_stop(bus, unit, err);
	if (sets)
		return manager_set(bus, unit, &properties, err);
	const char *group = manager_start(bus, arena, unit, &properties, err);
	if (!group)
		return -1;
	printf("%s\n", group);
	return fflush(stdout) ? err_sys(err, "write the control group") : 0;
}

int main(int argc, char **argv)
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	char *const *words = argv + (argc > 0);
	bool user = str_eq(*words, "--user");
	if (run(&arena, words + user, user, &err) == 0)
		return 0;
	str_clean(err.msg);
	fprintf(stderr, "coso-scope: %s\n", err.msg);
	return 1;
}
