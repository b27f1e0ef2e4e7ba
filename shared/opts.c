// SPDX-License-Identifier: GPL-2.0-or-later
// opts.c - command-line options as a table
#include "shared/opts.h"

#include "shared/str.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NAME_LONGEST = 64, NAMES_MOST = 256 };

// Levenshtein distance of two short words.
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[NAME_LONGEST + 1];
	size_t la = strlen(a), lb = strlen(b);
	if (la > NAME_LONGEST || lb > NAME_LONGEST)
		return NAME_LONGEST;
	for (unsigned int j = 0; j <= lb; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];
		row[0] = i;
		for (unsigned int j = 1; j <= lb; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *opts_nearest(const char *word, const char *const *names)
{
	const char *nearest = NULL;
	unsigned int best = (unsigned int)strlen(word) / 3 + 1;
	for (; *names; names++) {
		unsigned int d = distance(word, *names);
		if (d <= best && d < strlen(*names)) {
			best = d ? d - 1 : 0;
			nearest = *names;
		}
	}
	return nearest;
}

static const struct opt *find(const struct opt *table, const char *name, size_t length)
{
	for (const struct opt *o = table; o->name; o++) {
		if (strncmp(o->name, name, length) == 0 && !o->name[length])
			return o;
		if (length == 1 && o->letter == name[0])
			return o;
	}
	return NULL;
}

static int unknown(const struct opt *table, const char *word, const char *name, struct err *err)
{
	const char *names[NAMES_MOST];
	size_t count = 0;
	for (const struct opt *o = table; o->name && count < NAMES_MOST - 1; o++) {
		if (o->help)
			names[count++] = o->name;
	}
	names[count] = NULL;
	const char *nearest = opts_nearest(name, names);
	err_set(err, EINVAL, "unknown option '%.80s'", word);
	if (nearest)
		err_hint(err, "did you mean --%s?", nearest);
	return -1;
}

static int set(const struct opt *o, struct arena *arena, const char *value, void *to, struct err *err)
{
	void *field = (char *)to + o->offset;
	switch (o->kind) {
	case OPT_FLAG:
		if (str_eq(value, "true") || str_eq(value, "1"))
			*(bool *)field = true;
		else if (str_eq(value, "false") || str_eq(value, "0"))
			*(bool *)field = false;
		else
			return err_set(err, EINVAL, "--%s '%.80s': neither true nor false", o->name, value);
		return 0;
	case OPT_TEXT:
		*(const char **)field = value;
		return 0;
	case OPT_LIST:
		strv_push(arena, field, value);
		return 0;
	}
	return err_set(err, EINVAL, "--%s: unknown kind of option", o->name);
}

int opts_parse(const struct opt *table, struct arena *arena, int argc, char *const argv[], void *to, int *out_next, struct err *err)
{
	int i = 0;
	for (; i < argc; i++) {
		const char *word = argv[i];
		if (word[0] != '-' || !word[1])
			break;
		if (str_eq(word, "--")) {
			i++;
			break;
		}
		const char *name = word + (word[1] == '-' ? 2 : 1);
		size_t length = strcspn(name, "=");
		const struct opt *o = find(table, name, length);
		if (!o)
			return unknown(table, word, arena_strndup(arena, name, length), err);
		const char *value = name[length] ? name + length + 1 : NULL;
		if (!value && o->kind == OPT_FLAG)
			value = "true";
		if (!value && ++i >= argc)
			return err_set(err, EINVAL, "flag needs an argument: --%s %s", o->name, o->arg);
		if (set(o, arena, value ? value : argv[i], to, err) < 0)
			return -1;
	}
	*out_next = i;
	return 0;
}

void opts_help(const struct opt *table, FILE *out)
{
	for (const struct opt *o = table; o->name; o++) {
		if (!o->help)
			continue;
		char left[96];
		char letter[8] = "    ";
		if (o->letter)
			snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(out, "  %-34s %s\n", left, o->help);
	}
}
