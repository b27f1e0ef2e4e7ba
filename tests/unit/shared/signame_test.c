// SPDX-License-Identifier: GPL-2.0-or-later
// signame_test.c - names and numbers of signals
#include "shared/signame.h"
#include "tests/unit/unit.h"

#include <signal.h>

TEST(signame, names_and_numbers)
{
	CU_ASSERT_EQUAL(signame_parse("9"), SIGKILL);
	CU_ASSERT_EQUAL(signame_parse("KILL"), SIGKILL);
	CU_ASSERT_EQUAL(signame_parse("SIGKILL"), SIGKILL);
	CU_ASSERT_EQUAL(signame_parse("sigterm"), SIGTERM);
	CU_ASSERT_EQUAL(signame_parse("64"), SIGRTMAX);
	CU_ASSERT_EQUAL(signame_parse("RTMIN"), SIGRTMIN);
	CU_ASSERT_EQUAL(signame_parse("SIGRTMIN+3"), SIGRTMIN + 3);
	CU_ASSERT_EQUAL(signame_parse("rtmax-2"), SIGRTMAX - 2);
}

TEST(signame, neither)
{
	static const char *const texts[] = { "",           "0",      "-1",      "65",     "9 ",      " 9",       "0x9",     "SIG",
					     "SIGSIGKILL", "KILLER", "RTMIN-1", "RTMIN+", "RTMAX+1", "RTMIN+99", "RTMAX--1" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CU_ASSERT_EQUAL(signame_parse(texts[i]), -1);
}
