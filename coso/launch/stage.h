// SPDX-License-Identifier: GPL-2.0-or-later
// stage.h - a launch is two tables of stages, run in order, undone in reverse, explained without running
#pragma once

#include "shared/err.h"

#include <stdbool.h>
#include <stdio.h>

struct launch;

struct stage {
	const char *name;                                         // NULL ends the table
	const char *why;                                          // one line, for explain and -v
	bool (*wanted)(const struct launch *launch);              // NULL: always
	void (*describe)(const struct launch *launch, FILE *out); // what it would do for this very spec; NULL: `why` says it all
	int (*run)(struct launch *launch, struct err *err);
	void (*undo)(struct launch *launch); // gives back all that run made, or nothing; NULL: nothing stays
};

// Runs the stages that are wanted. On failure the message begins with the name of the stage (the child's, if it was the child that failed); nothing is undone here.
int stage_run(const struct stage *table, struct launch *launch, struct err *err);

// Undoes every stage in reverse order; a stage that never ran has nothing to give back.
void stage_undo(const struct stage *table, struct launch *launch);

// Prints the stages that are wanted, and what each would do.
void stage_explain(const struct stage *table, const struct launch *launch, FILE *out);
