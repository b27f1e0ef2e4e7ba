// SPDX-License-Identifier: GPL-2.0-or-later
// log.c - lines on stderr
#include "shared/log.h"

#include "shared/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "coso";
static enum log_level current = LOG_LEVEL_WARNING;

void log_setup(const char *program, enum log_level level)
{
	program_name = program;
	current = level;
}

enum log_level log_level(void)
{
	return current;
}

static void line(const char *prefix, const char *format, va_list args)
{
	int saved = errno;
	char text[2048];
	int head = snprintf(text, sizeof(text), "%s: %s", program_name, prefix);
	vsnprintf(text + head, sizeof(text) - (size_t)head - 1, format, args);
	str_clean(text);
	size_t length = strlen(text);
	text[length++] = '\n';
	(void)!write(STDERR_FILENO, text, length);
	errno = saved;
}

#define LOG_FUNCTION(name, prefix, condition)                                                                                      \
	void name(const char *format, ...)                                                                                         \
	{                                                                                                                          \
		if (!(condition))                                                                                                  \
			return;                                                                                                    \
		va_list args;                                                                                                      \
		va_start(args, format);                                                                                            \
		line(prefix, format, args);                                                                                        \
		va_end(args);                                                                                                      \
	}

LOG_FUNCTION(log_error, "", 1)
LOG_FUNCTION(log_warning, "warning: ", current >= LOG_LEVEL_WARNING)
LOG_FUNCTION(log_verbose, "", current >= LOG_LEVEL_VERBOSE)
LOG_FUNCTION(log_debug, "", current >= LOG_LEVEL_DEBUG)
