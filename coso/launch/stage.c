// SPDX-License-Identifier: GPL-2.0-or-later
// stage.c - runs, undoes and explains a table of stages
#include "coso/launch/stage.h"

#include "coso/launch/launch.h"
#include "coso/launch/trace.h"
#include "shared/log.h"

#include <errno.h>
#include <stddef.h>

static bool wanted(const struct stage *stage, const struct launch *launch)
{
	return !stage->wanted || stage->wanted(launch);
}

// A kernel, or a filter around COSO, without one of the calls that there is nothing to fall back on for.
static int explain(const struct stage *stage, struct err *err)
{
	if (err->code == ENOSYS)
		err_hint(err, "COSO needs Linux 5.10; in another container, a seccomp profile that knows the calls of Linux 5.10");
	return err_wrap(err, "%s", stage->name);
}

int stage_run(const struct stage *table, struct launch *launch, struct err *err)
{
	for (const struct stage *s = table; s->name; s++) {
		if (!wanted(s, launch))
			continue;
		if (launch_is_interrupted(launch, err))
			return err_wrap(err, "%s", s->name);
		log_verbose("%-9s %s", s->name, s->why);
		trace_event(launch->trace, s->name, TRACE_BEGIN);
		int result = s->run(launch, err);
		trace_event(launch->trace, s->name, TRACE_END);
		if (result < 0 && launch->heard.failed)
			return -1;
		if (result < 0)
			return explain(s, err);
	}
	return 0;
}

void stage_undo(const struct stage *table, struct launch *launch)
{
	size_t count = 0;
	while (table[count].name)
		count++;
	while (count--) {
		if (table[count].undo)
			table[count].undo(launch);
	}
}

void stage_explain(const struct stage *table, const struct launch *launch, FILE *out)
{
	for (const struct stage *s = table; s->name; s++) {
		if (!wanted(s, launch))
			continue;
		fprintf(out, "%-10s %s\n", s->name, s->why);
		if (s->describe)
			s->describe(launch, out);
	}
}
