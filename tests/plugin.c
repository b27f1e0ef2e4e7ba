// SPDX-License-Identifier: GPL-2.0-or-later
// plugin.c - a network executable of the tests, that owes COSO nothing but the contract: plugin -pid PID, plugin -release
//
// It gives the container's loopback interface the address 192.0.2.7, remembers that in COSO_STATE, answers in JSON, and asks to be
// called again. Each call adds a line to a log beside the program (PROGRAM.log), since its environment tells it no other place.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ADDRESS "192.0.2.7"

static int fail(const char *what)
{
	fprintf(stderr, "plugin: %s: %s\n", what, strerror(errno));
	return 1;
}

// Writes a line to COSO_STATE/`name`, or to the log beside the program if there is no name.
static int add_line(const char *name, const char *line)
{
	char path[4096];
	const char *state = getenv("COSO_STATE");
	ssize_t size;
	if (name) {
		snprintf(path, sizeof(path), "%s/%s", state ? state : "", name);
	} else {
		size = readlink("/proc/self/exe", path, sizeof(path) - sizeof(".log"));
		if (size < 0)
			return fail("/proc/self/exe");
		memcpy(path + size, ".log", sizeof(".log"));
	}
	FILE *file = fopen(path, "ae");
	if (!file || fprintf(file, "%s\n", line) < 0 || fclose(file) != 0)
		return fail(path);
	return 0;
}

static int set_address(void)
{
	struct ifreq request = { .ifr_name = "lo:7" };
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail("socket");
	inet_pton(AF_INET, ADDRESS, &address.sin_addr);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		return fail("SIOCSIFADDR");
	inet_pton(AF_INET, "255.255.255.255", &address.sin_addr);
	memcpy(&request.ifr_netmask, &address, sizeof(address));
	if (ioctl(fd, SIOCSIFNETMASK, &request) < 0)
		return fail("SIOCSIFNETMASK");
	close(fd);
	return 0;
}

static int attach(const char *pid)
{
	char path[64], line[128];
	const char *id = getenv("COSO_ID");
	snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	snprintf(line, sizeof(line), "attach %.64s", id ? id : "?");
	if (add_line("address", ADDRESS) || add_line(NULL, line))
		return 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		return fail(path);
	close(fd);
	if (set_address())
		return 1;
	printf("{\"interfaces\": [{\"name\": \"lo\", \"addresses\": [\"" ADDRESS
	       "/32\"]}], \"dns\": [\"192.0.2.53\"], \"release\": true}\n");
	return 0;
}

static int release(void)
{
	char path[4096], line[128];
	const char *state = getenv("COSO_STATE"), *id = getenv("COSO_ID");
	snprintf(path, sizeof(path), "%s/address", state ? state : "");
	if (unlink(path) < 0)
		return fail(path);
	snprintf(line, sizeof(line), "release %.64s", id ? id : "?");
	return add_line(NULL, line);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-pid") == 0)
		return attach(argv[2]);
	if (argc == 2 && strcmp(argv[1], "-release") == 0)
		return release();
	fprintf(stderr, "usage: plugin -pid PID | plugin -release\n");
	return 2;
}
