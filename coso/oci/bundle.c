// SPDX-License-Identifier: GPL-2.0-or-later
// bundle.c - reads a config.json
#include "coso/oci/bundle.h"

#include "coso/spec/from_oci.h"
#include "shared/file.h"

#include <errno.h>

int bundle_read(struct arena *arena, const struct bundle_file *file, struct spec *out_spec, struct bundle *out, struct err *err)
{
	struct bundle bundle = { 0 };
	bundle.text = file_read(arena, file->dir, file->name, FILE_CONFIG, &bundle.size, err);
	if (!bundle.text)
		return err_wrap(err, "%s", file->name);
	bundle.config = oci_json_parse("config.json", bundle.text, bundle.size, err);
	if (!bundle.config)
		return -1;
	if (oci_to_spec(arena, bundle.config, file->bundle, file->id, out_spec, err) < 0) {
		json_decref(bundle.config);
		return -1;
	}
	*out = bundle;
	return 0;
}
