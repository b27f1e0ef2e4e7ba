// SPDX-License-Identifier: GPL-2.0-or-later
// opts_test.c - options as a table
#include "shared/opts.h"
#include "shared/str.h"
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	bool detach;
	const char *name;
	struct strv env;
	bool hidden;
};

static const struct opt table[] = {
	{ "detach", 'd', OPT_FLAG, offsetof(struct sample, detach), NULL, "leave it running" },
	{ "name", 0, OPT_TEXT, offsetof(struct sample, name), "NAME", "what to call it" },
	{ "env", 'e', OPT_LIST, offsetof(struct sample, env), "NAME=VALUE", "add to the environment" },
	{ "details", 0, OPT_FLAG, offsetof(struct sample, hidden), NULL, NULL },
	{ 0 },
};

enum { WORDS_MAX = 16 };

// Parses the words, up to NULL. Returns the result of opts_parse.
static int parse(struct arena *arena, struct sample *to, int *next, struct err *err, const char *const *words)
{
	int argc = 0;
	while (words[argc])
		argc++;
	return opts_parse(table, arena, argc, (char *const *)words, to, next, err);
}

#define WORDS(...) ((const char *const[WORDS_MAX]){ __VA_ARGS__, NULL })

TEST(opts, one_dash_or_two_equals_or_space)
{
	own_arena struct arena arena = { 0 };
	struct sample s = { 0 };
	int next = -1;
	CU_ASSERT_EQUAL(
		parse(&arena, &s, &next, NULL, WORDS("-name", "a", "--detach", "-e", "X=1", "--env=Y=2", "cmd", "--name", "b")), 0);
	CU_ASSERT_TRUE(s.detach);
	CU_ASSERT_STRING_EQUAL(s.name, "a");
	CU_ASSERT_EQUAL(s.env.count, 2);
	CU_ASSERT_STRING_EQUAL(s.env.items[0], "X=1");
	CU_ASSERT_STRING_EQUAL(s.env.items[1], "Y=2");
	CU_ASSERT_EQUAL(next, 6); // what follows belongs to the command
}

TEST(opts, the_last_text_wins_and_may_look_like_an_option)
{
	own_arena struct arena arena = { 0 };
	struct sample s = { 0 };
	int next = -1;
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("--name=a", "--name", "--detach")), 0);
	CU_ASSERT_STRING_EQUAL(s.name, "--detach");
	CU_ASSERT_FALSE(s.detach);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("--name=")), 0);
	CU_ASSERT_STRING_EQUAL(s.name, "");
}

TEST(opts, flags_take_true_and_false)
{
	own_arena struct arena arena = { 0 };
	struct sample s = { .detach = true };
	struct err err = { 0 };
	int next = -1;
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("-d=false")), 0);
	CU_ASSERT_FALSE(s.detach);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("-detach=1")), 0);
	CU_ASSERT_TRUE(s.detach);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("--detach=maybe")), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "--detach 'maybe': neither true nor false");
}

TEST(opts, dashes_end_the_options)
{
	own_arena struct arena arena = { 0 };
	struct sample s = { 0 };
	int next = -1;
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("-d", "--", "--name")), 0);
	CU_ASSERT_EQUAL(next, 2);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, WORDS("-")), 0); // a lone dash is a word
	CU_ASSERT_EQUAL(next, 0);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, NULL, (const char *const[]){ NULL }), 0);
	CU_ASSERT_EQUAL(next, 0);
}

TEST(opts, unknown_and_incomplete_are_errors)
{
	own_arena struct arena arena = { 0 };
	struct sample s = { 0 };
	struct err err = { 0 };
	int next = 77;
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("--nmae", "x")), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "unknown option '--nmae' (did you mean --name?)");
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("--quite-another")), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "unknown option '--quite-another'");
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("-d", "--env")), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "flag needs an argument: --env NAME=VALUE");
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("-de", "X=1")), -1); // letters are not bundled
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("--=x")), -1);
	CU_ASSERT_EQUAL(parse(&arena, &s, &next, &err, WORDS("--detac")), -1); // no abbreviations
	CU_ASSERT_EQUAL(next, 77);
}

TEST(opts, nearest_name)
{
	static const char *const names[] = { "run", "start", "stop", "restart", NULL };
	CU_ASSERT_STRING_EQUAL(opts_nearest("strat", names), "start");
	CU_ASSERT_STRING_EQUAL(opts_nearest("stp", names), "stop");
	CU_ASSERT_STRING_EQUAL(opts_nearest("run", names), "run");
	CU_ASSERT_PTR_NULL(opts_nearest("/bin/sh", names));
	CU_ASSERT_PTR_NULL(opts_nearest("", names));
}

TEST(opts, help_has_a_line_an_option)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	opts_help(table, out);
	fclose(out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "-d, --detach"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "--name NAME"));
	CU_ASSERT_PTR_NULL(strstr(text, "details")); // hidden
	free(text);
}
