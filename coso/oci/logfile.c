// SPDX-License-Identifier: GPL-2.0-or-later
// logfile.c - records of a log file, as text or JSON
#include "coso/oci/logfile.h"

#include "shared/fd.h"
#include "shared/log.h"
#include "shared/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *level_name(enum log_level level)
{
	return level == LOG_LEVEL_QUIET ? "error" : level == LOG_LEVEL_WARNING ? "warning" : "debug";
}

static char *json_record(struct arena *arena, enum log_level level, const char *message)
{
	json_t *record = json_pack("{s:s, s:s, s:s}", "level", level_name(level), "msg", message, "time", stamp_now(arena));
	char *text = json_dumps(record, JSON_COMPACT), *line = arena_printf(arena, "%s\n", text ? text : "{}");
	free(text);
	json_decref(record);
	return line;
}

static char *text_record(struct arena *arena, enum log_level level, const char *message)
{
	char *quoted = arena_alloc(arena, strlen(message) * 2 + 1), *to = quoted;
	for (const char *c = message; *c; c++) {
		if (*c == '"' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	return arena_printf(arena, "time=\"%s\" level=%s msg=\"%s\"\n", stamp_now(arena), level_name(level), quoted);
}

static char *record(const struct logfile *log, enum log_level level, const char *message)
{
	return (log->json ? json_record : text_record)(log->arena, level, message);
}

static void hold(enum log_level level, const char *line, void *data)
{
	struct logfile *log = data;
	strv_push(log->arena, &log->held, record(log, level, line));
}

int logfile_open(struct arena *arena, const char *path, const char *format, struct logfile *out_log, struct err *err)
{
	struct logfile log = { .arena = arena, .fd = -1 };
	if (format && !str_eq(format, "text") && !str_eq(format, "json"))
		return err_set(err, EINVAL, "unknown log-format '%.40s' (text or json)", format);
	log.json = str_eq(format, "json");
	if (path && *path) {
		log.fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (log.fd < 0)
			return err_sys(err, "--log: open '%s'", path);
	}
	*out_log = log;
	log_redirect(hold, out_log);
	return 0;
}

// One write(2) a record: several commands append to one file.
static void put(int fd, const char *line)
{
	(void)!fd_write_full(fd, line, strlen(line));
}

void logfile_succeed(struct logfile *log)
{
	for (size_t i = 0; i < log->held.count; i++)
		put(log->fd >= 0 ? log->fd : STDERR_FILENO, log->held.items[i]);
	log_redirect(NULL, NULL);
	fd_close(&log->fd);
}

void logfile_fail(struct logfile *log, const char *message)
{
	if (log->fd >= 0)
		put(log->fd, record(log, LOG_LEVEL_QUIET, message));
	log_redirect(NULL, NULL);
	fd_close(&log->fd);
}
