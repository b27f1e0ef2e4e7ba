// SPDX-License-Identifier: GPL-2.0-or-later
// main.c - cosonet: bridge, veth pair, addresses, routes, NAT and published ports for a container
#include "cosonet/adopt.h"
#include "cosonet/answer.h"
#include "cosonet/attach.h"
#include "cosonet/bridge.h"
#include "cosonet/request.h"
#include "shared/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *environment(const char *name)
{
	return getenv(name);
}

static int run_attach(const struct request *request, struct err *err)
{
	struct attached attached = { 0 };
	if (attach_run(request, &attached, err) < 0)
		return -1;
	return answer_attached(&attached, err);
}

static int with_bridge(const struct request *request, struct err *err)
{
	own_netlink struct netlink nl = { 0 };
	struct bridge bridge = { 0 };
	if (netlink_open(&nl, NETLINK_ROUTE, err) < 0)
		return -1;
	return request->verb == REQUEST_SETUP ? bridge_setup(&nl, request, &bridge, err) : bridge_teardown(&nl, request, err);
}

static int run(const struct request *request, struct err *err)
{
	switch (request->verb) {
	case REQUEST_ATTACH:
		return run_attach(request, err);
	case REQUEST_SETUP:
	case REQUEST_TEARDOWN:
		return with_bridge(request, err);
	case REQUEST_STATUS:
		return answer_status(request, err);
	case REQUEST_RELEASE:
		return attach_release(request, err);
	case REQUEST_ADOPT:
		return adopt_run(request, err);
	case REQUEST_HELP:
		request_help(stdout);
		return 0;
	case REQUEST_VERSION:
		printf("cosonet %s\n", COSO_VERSION);
		return 0;
	}
	return err_set(err, EINVAL, "unknown command");
}

int main(int argc, char *argv[])
{
	own_arena struct arena arena = { 0 };
	struct request request;
	struct err err = { 0 };
	log_setup("cosonet", LOG_LEVEL_WARNING);
	int status = request_parse(&arena, argc - 1, argv + 1, environment, &request, &err);
	if (status == 0) {
		if (request.verbose)
			log_setup("cosonet", LOG_LEVEL_VERBOSE);
		status = run(&request, &err) < 0;
	}
	if (status && (err.code == EPERM || err.code == EACCES) && geteuid() != 0)
		err_hint(&err, "cosonet needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN over both network namespaces");
	for (char *c = err.msg; *c; c++) // it may repeat an argument, with whatever is in there
		*c = iscntrl((unsigned char)*c) ? '?' : *c;
	if (status)
		log_error("%s", err.msg);
	return status;
}
