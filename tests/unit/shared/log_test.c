// SPDX-License-Identifier: GPL-2.0-or-later
// log_test.c - lines on stderr
#include "shared/log.h"

#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char said[8192];

// What `speak` writes to stderr while `level` is set.
static const char *listen_at(enum log_level level, void (*speak)(void))
{
	int ends[2], saved = dup(STDERR_FILENO);
	CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[1], STDERR_FILENO);
	fd_close(&ends[1]);
	log_setup("cosonet", level);
	speak();
	log_setup("coso", LOG_LEVEL_WARNING);
	dup2(saved, STDERR_FILENO);
	fd_close(&saved);
	ssize_t n = fd_read_full(ends[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	fd_close(&ends[0]);
	return said;
}

static void speak_all(void)
{
	errno = EXDEV;
	log_error("e%d", 1);
	log_warning("w");
	log_verbose("v");
	log_debug("d");
	CU_ASSERT_EQUAL(errno, EXDEV);
}

static void speak_muted(void)
{
	log_mute(true);
	speak_all();
	log_mute(false);
	log_warning("again");
}

static void speak_long(void)
{
	char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
}

static void speak_escape(void)
{
	log_error("\033]0;title\007 done\n\n");
}

TEST(log, muted)
{
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_DEBUG, speak_muted), "cosonet: e1\ncosonet: warning: again\n");
}

TEST(log, levels)
{
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_QUIET, speak_all), "cosonet: e1\n");
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_WARNING, speak_all), "cosonet: e1\ncosonet: warning: w\n");
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_VERBOSE, speak_all), "cosonet: e1\ncosonet: warning: w\ncosonet: v\n");
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_DEBUG, speak_all), "cosonet: e1\ncosonet: warning: w\ncosonet: v\ncosonet: d\n");
}

TEST(log, a_line_is_one_line_and_harmless)
{
	CU_ASSERT_STRING_EQUAL(listen_at(LOG_LEVEL_QUIET, speak_escape), "cosonet: ?]0;title? done\n");
	const char *line = listen_at(LOG_LEVEL_QUIET, speak_long);
	CU_ASSERT_TRUE(strlen(line) <= 2048);
	CU_ASSERT_EQUAL(line[strlen(line) - 1], '\n');
}
