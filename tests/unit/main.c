// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - runs the unit tests that linked themselves in
#include "tests/unit/unit.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void unit_add(const char *suite_name, const char *name, void (*function)(void))
{
	if (!CU_registry_initialized() && CU_initialize_registry() != CUE_SUCCESS)
		abort();
	CU_pSuite suite = CU_get_suite(suite_name);
	if (!suite)
		suite = CU_add_suite(suite_name, NULL, NULL);
	if (!suite || !CU_add_test(suite, name, function))
		abort();
}

void unit_in_child(void (*check)(void))
{
	int status = -1;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		unsigned int before = CU_get_number_of_failures();
		check();
		unsigned int i = 0;
		for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext, i++)
			if (i >= before)
				fprintf(stderr, "in the child: %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
		_exit(CU_get_number_of_failures() != before);
	}
	CU_ASSERT(pid > 0 && waitpid(pid, &status, 0) == pid);
	CU_ASSERT_EQUAL(status, 0);
}

int main(void)
{
	if (!CU_registry_initialized())
		return 1;
	CU_basic_set_mode(CU_BRM_NORMAL);
	CU_basic_run_tests();
	unsigned int failed = CU_get_number_of_tests_failed() + CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed ? 1 : 0;
}
