// SPDX-License-Identifier: GPL-2.0-or-later
// oci_checkpoint.c - checkpoint and restore
#include "coso/oci/oci.h"
#include "shared/opts.h"

#include <errno.h>
#include <stddef.h>

// Engines look whether checkpoint and restore can be had by asking for their help: where they can't, that fails as well.
static int refuse(struct oci *oci, struct err *err)
{
	if (!(oci->argc && oci->argv[0][0] == '-') && !oci_id(oci, err))
		return -1;
	return err_set(err, ENOTSUP, "%s: this build of coso can't drive criu", oci->command);
}

int oci_cmd_checkpoint(struct oci *oci, int *out_exit_code, struct err *err)
{
	*out_exit_code = 0;
	return refuse(oci, err);
}

int oci_cmd_restore(struct oci *oci, int *out_exit_code, struct err *err)
{
	*out_exit_code = 0;
	return refuse(oci, err);
}
