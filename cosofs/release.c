// SPDX-License-Identifier: GPL-2.0-or-later
// release.c - the pinned release
#include "cosofs/release.h"

#include "cosofs/digest.h"
#include "cosofs/embed.h"
#include "cosofs/source.h"
#include "shared/file.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

enum { FIELDS = 4 };

// Cuts the next field off a line, at white space.
static char *field(char **line)
{
	char *start = *line + strspn(*line, " \t\r");
	size_t length = strcspn(start, " \t\r");
	*line = start + length;
	if (**line)
		*(*line)++ = '\0';
	return start;
}

// Returns 1 with the release, 0 for a line without one, -1 for a wrong one.
static int parse_line(char *line, size_t number, struct release *out, struct err *err)
{
	char *fields[FIELDS];
	line[strcspn(line, "#")] = '\0';
	for (int i = 0; i < FIELDS; i++)
		fields[i] = field(&line);
	if (!*fields[0])
		return 0;
	if (!*fields[FIELDS - 1] || *field(&line))
		return err_set(err, EINVAL, "line %zu: not the four fields machine, version, SHA-256, URL", number);
	if (!digest_valid(fields[2]))
		return err_set(err, EINVAL, "line %zu: '%.80s' is no SHA-256", number, fields[2]);
	if (!source_is_url(fields[3]))
		return err_set(err, EINVAL, "line %zu: '%.80s' is no URL", number, fields[3]);
	*out = (struct release){ fields[0], fields[1], fields[2], fields[3] };
	return 1;
}

int release_parse(struct arena *arena, const char *text, const char *machine, struct release *out, struct err *err)
{
	struct release found = { 0 };
	struct strv lines = str_split(arena, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		struct release line = { 0 };
		int result = parse_line(lines.items[i], i + 1, &line, err);
		if (result < 0)
			return -1;
		if (result && !found.machine && str_eq(line.machine, machine))
			found = line;
	}
	if (!found.machine)
		return err_set(err, ENOENT, "no release for the machine '%s'", machine);
	*out = found;
	return 0;
}

int release_find(struct arena *arena, const char *path, struct release *out, struct err *err)
{
	struct utsname name;
	if (uname(&name) < 0)
		return err_sys(err, "ask for the machine's kind");
	const char *text = path ? file_read(arena, AT_FDCWD, path, FILE_SMALL, NULL, err) : embed_alpine;
	if (!text)
		return -1;
	if (release_parse(arena, text, name.machine, out, err) < 0)
		return err_wrap(err, "release file '%s'", path ? path : "rootfs/alpine.txt");
	return 0;
}
