// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - picks the front end and prints the one error
#include "coso/cli/cli.h"
#include "coso/oci/oci.h"
#include "shared/fd.h"
#include "shared/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

// Descriptors 0 to 2 are open, so that nothing else ever gets their numbers; whatever else was inherited ends at an exec. Returns how
// many that are from 3 on, up to the first gap.
static int clean_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd >= 3)
		close(fd);
	fd_cloexec_from(3);
	return fd >= 3 ? fd - 3 : 0;
}

// Else jansson asks /dev/urandom, at each start. The kernel's random bytes stand at any address.
static void seed_json(void)
{
	size_t seed;
	memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof(seed));
	json_object_seed(seed);
}

int main(int argc, char **argv)
{
	own_arena struct arena arena = { 0 };
	struct err err = { 0 };
	int exit_code = 125;

	int inherited = clean_descriptors();
	seed_json();
	log_setup("coso", LOG_LEVEL_WARNING);
	signal(SIGCHLD, SIG_DFL); // ignored by some callers: then nobody's exit status could be known
	if (getauxval(AT_SECURE)) {
		log_error("coso is set-user-id, or has file capabilities: whoever may run it would be root (chmod u-s it)");
		return exit_code;
	}
	if (argc < 1) {
		log_error("there is no argv[0]");
		return exit_code;
	}
	if (oci_is_meant(argc, argv))
		return oci_main(&arena, argc, argv, inherited);
	if (cli_main(&arena, argc, argv, &exit_code, &err) < 0)
		log_error("%s", err.msg);
	if (fflush(stdout) != 0 && exit_code == 0)
		exit_code = 125;
	return exit_code;
}
