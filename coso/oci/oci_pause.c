// SPDX-License-Identifier: GPL-2.0-or-later
// oci_pause.c - pause and resume
#include "coso/oci/container.h"
#include "coso/oci/oci.h"
#include "shared/opts.h"

#include <errno.h>

enum { FREEZE_MS = 10000 };

static int check(const struct container *c, bool freeze, struct err *err)
{
	enum container_status status = container_status(c);
	if (freeze && status != CONTAINER_RUNNING && status != CONTAINER_CREATED)
		return err_set(err, EINVAL, "container not running");
	if (!freeze && status != CONTAINER_PAUSED)
		return err_set(err, EINVAL, "container not paused");
	if (!c->cgroup.count)
		return err_set(err, ENOTSUP, "container '%s' has no control group", c->id);
	return 0;
}

static int change(struct container *c, bool freeze, struct err *err)
{
	struct cgroup cgroup;
	bool extended = false;
	if (container_lock(c, err) < 0 || check(c, freeze, err) < 0 || container_cgroup(c, &cgroup, err) < 0)
		return -1;
	int result = cgroup_freeze(&cgroup, freeze, FREEZE_MS, &extended, err);
	if (extended) {
		c->cgroup = (struct strv){ 0 };
		cgroup_record(&cgroup, c->arena, &c->cgroup);
		if (container_write(c, err) < 0)
			result = -1;
	}
	cgroup_close(&cgroup);
	return result;
}

static int command(struct oci *oci, bool freeze, struct err *err)
{
	static const struct opt table[] = { { 0 } };
	struct container c;
	int help = oci_options(oci, table, NULL, err);
	if (help)
		return help < 0 ? -1 : 0;
	const char *id = oci_id(oci, err);
	if (!id || container_open(oci->arena, oci->root, id, &c, err) < 0)
		return -1;
	int result = change(&c, freeze, err);
	container_close(&c);
	return result;
}

int oci_cmd_pause(struct oci *oci, int *out_exit_code, struct err *err)
{
	*out_exit_code = 0;
	return command(oci, true, err);
}

int oci_cmd_resume(struct oci *oci, int *out_exit_code, struct err *err)
{
	*out_exit_code = 0;
	return command(oci, false, err);
}
