// SPDX-License-Identifier: GPL-2.0-or-later
// mountinfo.c - a line of /proc/PID/mountinfo
#include "shared/mountinfo.h"

#include <stddef.h>
#include <string.h>

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

// A space, tab, line end or backslash of a name is written as \ooo.
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from; to++) {
		bool octal = from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) && is_octal(from[3]);
		*to = (char)(octal ? (from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0') : *from);
		from += octal ? 4 : 1;
	}
	*to = '\0';
}

// "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER-OPTIONS"; a source may be empty.
bool mountinfo_parse(char *line, struct mountinfo *out)
{
	enum { ROOT = 3, POINT = 4 };
	static const char dash[] = " - ";
	struct mountinfo m = { 0 };
	char *tail = strstr(line, dash);
	if (!tail)
		return false;
	*tail = '\0';
	tail += strlen(dash);
	m.type = strsep(&tail, " ");
	m.source = strsep(&tail, " ");
	m.options = strsep(&tail, " \n");
	for (int field = 0; line && field <= POINT; field++) {
		char *word = strsep(&line, " ");
		if (field == ROOT)
			m.root = word;
		if (field == POINT)
			m.point = word;
	}
	if (!m.point || !line || !m.options)
		return false;
	unescape(m.root);
	unescape(m.point);
	unescape(m.source);
	*out = m;
	return true;
}
