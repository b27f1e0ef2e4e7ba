// SPDX-License-Identifier: GPL-2.0-or-later
// command.c - arguments of the commands of cosofs
#include "cosofs/command.h"

#include "shared/log.h"

#include <errno.h>

int command_parse(const struct command *command, struct arena *arena, struct command_line *line, void *to, struct err *err)
{
	struct strv words = { 0 };
	bool literal = false;
	for (int i = 0; i < line->argc;) {
		int next = 0;
		if (!literal && opts_parse(command->options, arena, line->argc - i, line->argv + i, to, &next, err) < 0)
			return err_hint(err, "cosofs help %s", command->name);
		literal = literal || (next > 0 && str_eq(line->argv[i + next - 1], "--"));
		i += next;
		if (i < line->argc)
			strv_push(arena, &words, line->argv[i++]);
	}
	if (words.count != line->want) {
		if (words.count > line->want)
			err_set(err, EINVAL, "unexpected argument '%.80s'", words.items[line->want]);
		else
			err_set(err, EINVAL, "an argument is missing");
		return err_hint(err, "usage: cosofs %s %s", command->name, command->args);
	}
	const struct command_common *common = to;
	log_setup("cosofs", common->verbose ? LOG_LEVEL_VERBOSE : common->quiet ? LOG_LEVEL_QUIET : LOG_LEVEL_WARNING);
	line->words = words;
	return 0;
}
