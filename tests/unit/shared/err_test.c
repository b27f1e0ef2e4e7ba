// SPDX-License-Identifier: GPL-2.0-or-later
// err_test.c - messages
#include "shared/err.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

TEST(err, fits_one_write_to_a_pipe)
{
	CU_ASSERT_TRUE(sizeof(struct err) <= PIPE_BUF);
}

TEST(err, set_records_code_and_text)
{
	struct err err = { 0 };
	CU_ASSERT_EQUAL(err_set(&err, EINVAL, "--memory '%s': too small", "1"), -1);
	CU_ASSERT_EQUAL(err.code, EINVAL);
	CU_ASSERT_STRING_EQUAL(err.msg, "--memory '1': too small");
}

TEST(err, sys_reads_errno_first)
{
	struct err err = { 0 };
	errno = ENOENT;
	CU_ASSERT_EQUAL(err_sys(&err, "open '%s'", "/x"), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_STRING_EQUAL(err.msg, "open '/x': No such file or directory");
	errno = 99999;
	err_sys(&err, "do it");
	CU_ASSERT_STRING_EQUAL(err.msg, "do it: unknown error");
}

TEST(err, wrap_and_hint_keep_code_and_order)
{
	struct err err = { 0 };
	err_set(&err, EPERM, "mount 'proc'");
	CU_ASSERT_EQUAL(err_wrap(&err, "while starting '%s'", "web"), -1);
	CU_ASSERT_EQUAL(err_hint(&err, "try %s", "sudo"), -1);
	CU_ASSERT_EQUAL(err.code, EPERM);
	CU_ASSERT_STRING_EQUAL(err.msg, "while starting 'web': mount 'proc' (try sudo)");
}

TEST(err, an_argument_may_be_the_message_itself)
{
	struct err err = { 0 };
	err_set(&err, 1, "inner");
	err_set(&err, 2, "outer: %s", err.msg);
	CU_ASSERT_STRING_EQUAL(err.msg, "outer: inner");
}

TEST(err, too_long_is_cut_not_overrun)
{
	struct err err = { 0 };
	char text[5000];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, 0, "%s", text);
	CU_ASSERT_EQUAL(strlen(err.msg), sizeof(err.msg) - 1);
	errno = EIO;
	err_sys(&err, "%s", text);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "Input/output error")); // the reason survives
	err_wrap(&err, "%s", text);
	err_hint(&err, "%s", text);
	CU_ASSERT_TRUE(strlen(err.msg) < sizeof(err.msg));
}

TEST(err, whatever_is_named_a_message_is_one_line_of_text)
{
	struct err err;
	err_set(&err, 0, "%s: no", "\033[2J\r\xc2\x9b");
	CU_ASSERT_STRING_EQUAL(err.msg, "?[2J???: no");
	err_wrap(&err, "in '%.1s'", "ä");
	CU_ASSERT_STRING_EQUAL(err.msg, "in '?': ?[2J???: no");
	err_hint(&err, "see\n'%s'", "\xff");
	CU_ASSERT_STRING_EQUAL(err.msg, "in '?': ?[2J???: no (see '?')");
	errno = ENOENT;
	err_sys(&err, "open '%s'", "a\nb");
	CU_ASSERT_STRING_EQUAL(err.msg, "open 'a b': No such file or directory");
}

TEST(err, null_records_nothing)
{
	errno = ENOENT;
	CU_ASSERT_EQUAL(err_set(NULL, 1, "x"), -1);
	CU_ASSERT_EQUAL(err_sys(NULL, "x"), -1);
	CU_ASSERT_EQUAL(err_wrap(NULL, "x"), -1);
	CU_ASSERT_EQUAL(err_hint(NULL, "x"), -1);
	CU_ASSERT_EQUAL(errno, ENOENT);
}
