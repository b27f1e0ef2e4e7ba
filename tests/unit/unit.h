// SPDX-License-Identifier: GPL-2.0-or-later
// unit.h - a unit test is one line: TEST(suite, name) { CU_ASSERT(…); }
#pragma once

#include <CUnit/CUnit.h>

void unit_add(const char *suite, const char *name, void (*function)(void));

// Runs `check` in a child process, which may change whatever a process can't change back. An assertion that fails there, but for the
// _FATAL ones, which don't work there, fails the test.
void unit_in_child(void (*check)(void));

#define TEST(suite, name)                                                                                                          \
	static void suite##_##name(void);                                                                                          \
	__attribute__((constructor)) static void suite##_##name##_add(void)                                                        \
	{                                                                                                                          \
		unit_add(#suite, #name, suite##_##name);                                                                           \
	}                                                                                                                          \
	static void suite##_##name(void)
