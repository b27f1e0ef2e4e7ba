// SPDX-License-Identifier: GPL-2.0-or-later
// log.c - lines on stderr
#include "shared/log.h"

#include "shared/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *program_name = "coso";
static enum log_level current = LOG_LEVEL_WARNING;
static int target = STDERR_FILENO;
static void (*sink)(enum log_level level, const char *line, void *data);
static void *sink_data;
static bool muted;

void log_setup(const char *program, enum log_level level)
{
	program_name = program;
	current = level;
}

enum log_level log_level(void)
{
	return current;
}

void log_to(int fd)
{
	target = fd;
}

void log_mute(bool mute)
{
	muted = mute;
}

void log_redirect(void (*new_sink)(enum log_level level, const char *line, void *data), void *data)
{
	sink = new_sink;
	sink_data = data;
}

static void line(enum log_level level, const char *prefix, const char *format, va_list args)
{
	int saved = errno;
	char text[2048];
	bool print = !sink || level == LOG_LEVEL_QUIET;
	if (muted && level != LOG_LEVEL_QUIET)
		return;
	int head = print ? snprintf(text, sizeof(text), "%s: %s", program_name, prefix) : 0;
	vsnprintf(text + head, sizeof(text) - (size_t)head - 1, format, args);
	str_clean(text);
	if (print) {
		size_t length = strlen(text);
		text[length++] = '\n';
		(void)!write(target, text, length);
	} else {
		sink(level, text, sink_data);
	}
	errno = saved;
}

#define LOG_FUNCTION(name, prefix, level)                                                                                          \
	void name(const char *format, ...)                                                                                         \
	{                                                                                                                          \
		if (current < (level))                                                                                             \
			return;                                                                                                    \
		va_list args;                                                                                                      \
		va_start(args, format);                                                                                            \
		line(level, prefix, format, args);                                                                                 \
		va_end(args);                                                                                                      \
	}

LOG_FUNCTION(log_error, "", LOG_LEVEL_QUIET)
LOG_FUNCTION(log_warning, "warning: ", LOG_LEVEL_WARNING)
LOG_FUNCTION(log_verbose, "", LOG_LEVEL_VERBOSE)
LOG_FUNCTION(log_debug, "", LOG_LEVEL_DEBUG)
