// SPDX-License-Identifier: GPL-2.0-or-later
// setting.c - one limit as a file to write: written, read back, put back
#include "coso/cgroup/setting.h"

#include "shared/file.h"
#include "shared/list.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool kept_bytes(uint64_t unit, const char *asked, const char *kept)
{
	uint64_t largest = (uint64_t)INT64_MAX / unit * unit, want = 0, have = 0;
	bool unlimited = str_eq(asked, "max") || str_eq(asked, "-1") || num_u64("", asked, 0, UINT64_MAX, &want, NULL) < 0;
	if (str_eq(kept, "max"))
		return unlimited || want >= largest;
	if (num_u64("", kept, 0, UINT64_MAX, &have, NULL) < 0)
		return false;
	if (unlimited || want >= largest)
		return have >= largest;
	return have == want / unit * unit && (have > 0 || want == 0);
}

static bool kept_weight(const char *asked, const char *kept)
{
	size_t length = strlen(asked);
	if (str_starts(kept, "default "))
		kept += strlen("default ");
	return strncmp(asked, kept, length) == 0 && (kept[length] == '\0' || kept[length] == '\n');
}

// The line of `text` whose first word is that of `words`, or NULL.
static const char *line_of(struct arena *arena, const char *text, const char *words)
{
	size_t length = strcspn(words, " ");
	struct strv lines = str_split(arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (strncmp(lines.items[i], words, length) == 0 && strchr(" ", lines.items[i][length]))
			return lines.items[i];
	return NULL;
}

static bool kept_line(const char *asked, const char *kept)
{
	own_arena struct arena arena = { 0 };
	const char *line = line_of(&arena, kept, asked);
	struct strv words = str_split(&arena, asked, ' '), there = str_split(&arena, line ? line : "", ' ');
	for (size_t i = 0; i < words.count; i++) {
		bool found = false;
		for (size_t j = 0; j < there.count && !found; j++)
			found = str_eq(words.items[i], there.items[j]);
		if (!found)
			return false;
	}
	return line;
}

bool setting_kept(const struct setting *setting, const char *asked, const char *kept)
{
	struct list want, have;
	switch (setting->check) {
	case SETTING_TEXT:
		return str_eq(asked, kept);
	case SETTING_BYTES:
		return kept_bytes(setting->unit ? setting->unit : (uint64_t)sysconf(_SC_PAGESIZE), asked, kept);
	case SETTING_WEIGHT:
		return kept_weight(asked, kept);
	case SETTING_LIST:
		return list_parse("", asked, &want, NULL) == 0 && list_parse("", kept, &have, NULL) == 0 && list_eq(&want, &have);
	case SETTING_LINE:
		return kept_line(asked, kept);
	case SETTING_OPAQUE:
		return true;
	}
	return false;
}

// Is there a file of this name? The folder is the kernel's: names don't come and go.
static bool has(struct arena *arena, const char *folder, const char *file)
{
	return faccessat(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), F_OK, 0) == 0;
}

static char *read_value(struct arena *arena, const char *folder, const char *file, struct err *err)
{
	char *text = file_read(arena, AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), FILE_SMALL, NULL, err);
	for (size_t length = text ? strlen(text) : 0; length && text[length - 1] == '\n';)
		text[--length] = '\0';
	return text;
}

static int check_kept(struct arena *arena, const struct setting *setting, const char *folder, const char *file, const char *value,
		      struct err *err)
{
	char *kept = read_value(arena, folder, setting->read ? setting->read : file, err);
	if (!kept)
		return err_wrap(err, "set the %s to %s", setting->what, value);
	if (setting_kept(setting, setting->shown ? setting->shown : value, kept))
		return 0;
	str_clean(kept);
	err_set(err, ERANGE, "set the %s to %s: the kernel keeps '%.200s' in '%s/%s'", setting->what, value, kept, folder,
		setting->read ? setting->read : file);
	return setting->needs ? err_hint(err, "it takes %s", setting->needs) : -1;
}

int setting_apply(struct arena *arena, const struct setting *setting, const char *folder, struct err *err)
{
	const char *file = setting->file, *value = setting->value;
	struct err why;
	int result = file_put(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), value, &why);
	if (result < 0 && why.code == ENOENT && setting->other_file && has(arena, folder, setting->other_file)) {
		file = setting->other_file;
		value = setting->other_value;
		result = file_put(AT_FDCWD, arena_printf(arena, "%s/%s", folder, file), value, &why);
	}
	if (result < 0 && !has(arena, folder, file)) {
		if (setting->optional)
			return 0;
		return err_set(err, ENOTSUP, "set the %s to %s: this kernel has no '%s' (it takes %s)", setting->what, value, file,
			       setting->needs ? setting->needs : "a newer one");
	}
	if (result < 0)
		return err_set(err, why.code, "set the %s to %s: %s", setting->what, value, why.msg);
	return setting->check == SETTING_OPAQUE ? 0 : check_kept(arena, setting, folder, file, value, err);
}

// What is to be written so that the file shows `now` again; NULL: nothing can be.
static const char *old_value(struct arena *arena, const struct setting *setting, const char *value, const char *now)
{
	const char *shown = setting->shown ? setting->shown : value, *line;
	switch (setting->check) {
	case SETTING_WEIGHT:
		now = *str_split(arena, now, '\n').items;
		return str_starts(now, "default ") ? now + strlen("default ") : now;
	case SETTING_LINE:
		line = line_of(arena, now, shown);
		if (line && !strchr(value, ' ')) // the key is written by the kernel alone
			return strrchr(line, ' ') + 1;
		return line ? line : setting->absent;
	case SETTING_TEXT:
	case SETTING_BYTES:
	case SETTING_LIST:
	case SETTING_OPAQUE:
		return strchr(now, '\n') ? NULL : now;
	}
	return NULL;
}

bool setting_undo(struct arena *arena, const struct setting *setting, const char *folder, struct setting *out_undo)
{
	bool other = setting->other_file && !has(arena, folder, setting->file);
	struct setting undo = *setting;
	undo.file = other ? setting->other_file : setting->file;
	undo.other_file = NULL;
	undo.check = SETTING_OPAQUE;
	undo.optional = true;
	const char *now = read_value(arena, folder, undo.file, NULL);
	undo.value = now ? old_value(arena, setting, other ? setting->other_value : setting->value, now) : NULL;
	if (!undo.value || !*undo.value)
		return false;
	*out_undo = undo;
	return true;
}
