// SPDX-License-Identifier: GPL-2.0-or-later
// guard_test.c - the guard's program, run by the kernel over frames that are true and frames that are forged
#include "cosonet/guard.h"
#include "tests/unit/unit.h"

#include <linux/pkt_cls.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME = 96 };

#define MINE "\x02\xc0\x0a\xd1\x08\x01"
#define YOURS "\x02\xc0\x0a\xd1\x08\x02"
#define IP4 "\x0a\xd1\x08\x01"
#define OTHER4 "\x0a\xd1\x08\x02"
#define NULL4 "\0\0\0\0"
#define IP6 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\x01"
#define OTHER6 "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\x02"
#define LOCAL6 "\xfe\x80\0\0\0\0\0\0\0\xc0\x0a\xff\xfe\xd1\x08\x01"
#define OTHER_LOCAL6 "\xfe\x80\0\0\0\0\0\0\0\xc0\x0a\xff\xfe\xd1\x08\x02"
#define NULL6 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TO "\xff\xff\xff\xff\xff\xff"
#define ARP(mac, sender, from) TO mac "\x08\x06\0\x01\x08\0\x06\x04\0\x02" sender from
#define IPV4(mac, from) TO mac "\x08\0\x45\0\0\x14\0\0\0\0\x40\x06\0\0" from
#define IPV6(from, next, hops, rest) TO MINE "\x86\xdd\x60\0\0\0\0\x18" next hops from NULL6 rest
#define NEIGHBOUR(type, target) type "\0\0\0\0\0\0\0" target

#define REPORT(type) "\x3a\0\x05\x02\0\0\x01\0" type

struct sample {
	const char *name;
	char bytes[FRAME];
	bool passes;
};

static const struct sample samples[] = {
	{ "own ARP", ARP(MINE, MINE, IP4), true },
	{ "ARP probe", ARP(MINE, MINE, NULL4), true },
	{ "ARP of another's address", ARP(MINE, MINE, OTHER4), false },
	{ "ARP of another's MAC", ARP(MINE, YOURS, IP4), false },
	{ "ARP in a frame of another's MAC", ARP(YOURS, MINE, IP4), false },
	{ "own IPv4", IPV4(MINE, IP4), true },
	{ "IPv4 from another's address", IPV4(MINE, OTHER4), false },
	{ "IPv4 from nowhere", IPV4(MINE, NULL4), false },
	{ "IPv4 from another's MAC", IPV4(YOURS, IP4), false },
	{ "own IPv6, TCP", IPV6(IP6, "\x06", "\x40", ""), true },
	{ "own IPv6, TCP, 255 hops", IPV6(IP6, "\x06", "\xff", ""), true },
	{ "own IPv6, UDP, 255 hops", IPV6(IP6, "\x11", "\xff", ""), true },
	{ "IPv6 from another's address", IPV6(OTHER6, "\x06", "\x40", ""), false },
	{ "IPv6 from the own link-local address", IPV6(LOCAL6, "\x06", "\x40", ""), true },
	{ "IPv6 from another's link-local address", IPV6(OTHER_LOCAL6, "\x06", "\x40", ""), false },
	{ "listener report", IPV6(NULL6, "\0", "\x01", REPORT("\x8f")), false },
	{ "old listener report", IPV6(LOCAL6, "\0", "\x01", REPORT("\x83")), false },
	{ "echo behind hop-by-hop options", IPV6(IP6, "\0", "\x40", REPORT("\x80")), true },
	{ "UDP behind hop-by-hop options", IPV6(IP6, "\0", "\x40", "\x11\0\x05\x02\0\0\0\0\x8f"), true },
	{ "fragment", IPV6(IP6, "\x2c", "\x40", ""), true },
	{ "echo", IPV6(IP6, "\x3a", "\x40", NEIGHBOUR("\x80", NULL6)), true },
	{ "router solicitation", IPV6(IP6, "\x3a", "\xff", NEIGHBOUR("\x85", NULL6)), true },
	{ "router advertisement", IPV6(LOCAL6, "\x3a", "\xff", NEIGHBOUR("\x86", NULL6)), false },
	{ "neighbour solicitation", IPV6(IP6, "\x3a", "\xff", NEIGHBOUR("\x87", OTHER6)), true },
	{ "own neighbour advertisement", IPV6(IP6, "\x3a", "\xff", NEIGHBOUR("\x88", IP6)), true },
	{ "own neighbour advertisement, link-local", IPV6(IP6, "\x3a", "\xff", NEIGHBOUR("\x88", LOCAL6)), true },
	{ "neighbour advertisement of another's address", IPV6(IP6, "\x3a", "\xff", NEIGHBOUR("\x88", OTHER6)), false },
	{ "neighbour advertisement of no address", IPV6(NULL6, "\x3a", "\xff", NEIGHBOUR("\x88", NULL6)), false },
	{ "redirect", IPV6(LOCAL6, "\x3a", "\xff", NEIGHBOUR("\x89", OTHER6)), false },
	{ "neighbour discovery behind destination options", IPV6(IP6, "\x3c", "\xff", ""), false },
	{ "neighbour discovery behind hop-by-hop options", IPV6(IP6, "\0", "\xff", ""), false },
	{ "neighbour discovery in a fragment", IPV6(IP6, "\x2c", "\xff", ""), false },
	{ "VLAN tag", TO MINE "\x81\0\0\x01\x08\0", false },
	{ "spanning tree", TO MINE "\0\x26\x42\x42\x03", false },
	{ "nothing", "", false },
};

#define IPV4_TO(to) IPV4(MINE, IP4) to
#define UDP_TO(to, words, options, port) TO MINE "\x08\0" words "\0\0\x1c\0\0\0\0\x40\x11\0\0" IP4 to options "\x80\0\0" port
#define IPV6_TO(to) TO MINE "\x86\xdd\x60\0\0\0\0\x18\x06\x40" IP6 to

static const struct sample to_metadata[] = {
	{ "169.254.169.254", IPV4_TO("\xa9\xfe\xa9\xfe"), false },
	{ "169.254.0.0", IPV4_TO("\xa9\xfe\0\0"), false },
	{ "169.253.255.255", IPV4_TO("\xa9\xfd\xff\xff"), true },
	{ "169.255.0.0", IPV4_TO("\xa9\xff\0\0"), true },
	{ "a name server of 169.254.0.0/16", UDP_TO("\xa9\xfe\xa9\xfe", "\x45", "", "\x35"), true },
	{ "the same, with options", UDP_TO("\xa9\xfe\xa9\xfe", "\x46", "\1\1\1\1", "\x35"), true },
	{ "UDP to another port of 169.254.0.0/16", UDP_TO("\xa9\xfe\xa9\xfe", "\x45", "", "\x50"), false },
	{ "the same, with options", UDP_TO("\xa9\xfe\xa9\xfe", "\x46", "\0\x35\0\x35", "\x50"), false },
	{ "100.100.100.200", IPV4_TO("\x64\x64\x64\xc8"), false },
	{ "100.100.100.201", IPV4_TO("\x64\x64\x64\xc9"), true },
	{ "168.63.129.16", IPV4_TO("\xa8\x3f\x81\x10"), false },
	{ "the name server there", UDP_TO("\xa8\x3f\x81\x10", "\x45", "", "\x35"), true },
	{ "168.63.129.17", IPV4_TO("\xa8\x3f\x81\x11"), true },
	{ "fd00:ec2::23", IPV6_TO("\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\0\x23"), false },
	{ "fd00:c1::a9fe:a9fe", IPV6_TO("\xfd\0\0\xc1\0\0\0\0\0\0\0\0\xa9\xfe\xa9\xfe"), false },
	{ "fd00:ec2::254", IPV6_TO("\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\x02\x54"), false },
	{ "fd20:ce::254", IPV6_TO("\xfd\x20\0\xce\0\0\0\0\0\0\0\0\0\0\x02\x54"), false },
	{ "fd00:ec2::253", IPV6_TO("\xfd\0\x0e\xc2\0\0\0\0\0\0\0\0\0\0\x02\x53"), true },
	{ "fd00:ec3::254", IPV6_TO("\xfd\0\x0e\xc3\0\0\0\0\0\0\0\0\0\0\x02\x54"), true },
	{ "::254", IPV6_TO("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\x54"), true },
};

// A socket filter's result is how many bytes to keep: TC_ACT_OK (0) drops the message, and TC_ACT_SHOT keeps two bytes of it.
static unsigned char verdict(const struct guard_owner *owner, const char *frame, size_t size)
{
	struct sock_filter code[GUARD_MOST];
	struct sock_fprog program = { .filter = code };
	char answer[FRAME];
	int ends[2];
	program.len = (unsigned short)guard_program(owner, code);
	CU_ASSERT_TRUE_FATAL(program.len <= GUARD_MOST);
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	CU_ASSERT_EQUAL_FATAL(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)), 0);
	send(ends[0], frame, size, 0);
	ssize_t kept = recv(ends[1], answer, sizeof(answer), 0);
	close(ends[0]);
	close(ends[1]);
	return kept > 0 ? TC_ACT_SHOT : TC_ACT_OK;
}

static struct guard_owner me(bool six)
{
	struct guard_owner owner = { 0 };
	memcpy(owner.mac, MINE, LINK_MAC);
	num_cidr("test", "10.209.8.1/16", &owner.address4, NULL);
	if (six)
		num_cidr("test", "fd00::801/64", &owner.address6, NULL);
	return owner;
}

static void check(const struct guard_owner *owner, const struct sample *list, size_t count, bool all)
{
	for (size_t i = 0; i < count; i++) {
		bool passes = verdict(owner, list[i].bytes, FRAME) == TC_ACT_OK, expected = all || list[i].passes;
		if (passes != expected)
			printf("%s: %s\n", list[i].name, passes ? "passes" : "is dropped");
		CU_ASSERT_EQUAL(passes, expected);
	}
}

TEST(guard, lets_own_frames_in_and_no_forged_ones)
{
	struct guard_owner owner = me(true);
	check(&owner, samples, sizeof(samples) / sizeof(*samples), false);
}

TEST(guard, keeps_metadata_from_whom_it_is_told_to)
{
	struct guard_owner owner = me(true);
	check(&owner, to_metadata, sizeof(to_metadata) / sizeof(*to_metadata), true);
	owner.no_metadata = true;
	check(&owner, to_metadata, sizeof(to_metadata) / sizeof(*to_metadata), false);
	check(&owner, samples, sizeof(samples) / sizeof(*samples), false);
}

TEST(guard, lets_no_ipv6_in_where_there_is_none)
{
	struct guard_owner owner = me(false);
	CU_ASSERT_EQUAL(verdict(&owner, samples[0].bytes, FRAME), TC_ACT_OK);
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		if (memcmp(samples[i].bytes + 12, "\x86\xdd", 2) == 0)
			CU_ASSERT_EQUAL(verdict(&owner, samples[i].bytes, FRAME), TC_ACT_SHOT);
	}
}
