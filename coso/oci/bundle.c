// SPDX-License-Identifier: GPL-2.0-or-later
// bundle.c - reads a config.json
#include "coso/oci/bundle.h"

#include "coso/spec/from_oci.h"
#include "shared/file.h"

#include <errno.h>

int bundle_read(struct arena *arena, int dir, const char *name, const char *bundle, const char *id, struct spec *out_spec,
		json_t **out_config, struct bundle_text *out_text, struct err *err)
{
	struct bundle_text text;
	json_t *config = NULL;
	text.data = file_read(arena, dir, name, FILE_CONFIG, &text.size, err);
	if (!text.data || !(config = oci_json_parse("config.json", text.data, text.size, err)))
		return -1;
	if (oci_to_spec(arena, config, bundle, id, out_spec, err) < 0) {
		json_decref(config);
		return -1;
	}
	*out_config = config;
	if (out_text)
		*out_text = text;
	return 0;
}
