// SPDX-License-Identifier: GPL-2.0-or-later
// tarball.c - a tar archive as a sequence of entries
#include "cosofs/tarball.h"

#include "cosofs/stream.h"
#include "shared/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tarball {
	struct stream *stream;
	struct archive *archive;
	struct archive_entry *entry;
	struct err failure; // of the stream, which says more than libarchive's report of it
};

static la_ssize_t feed(struct archive *a, void *data, const void **out)
{
	struct tarball *t = data;
	ssize_t n = stream_next(t->stream, out, &t->failure);
	if (n < 0)
		archive_set_error(a, EIO, "%s", t->failure.msg);
	return n;
}

static int fail(struct tarball *t, struct err *err)
{
	if (t->failure.msg[0])
		return err_set(err, t->failure.code, "%s", t->failure.msg);
	const char *reason = archive_error_string(t->archive);
	char text[256];
	snprintf(text, sizeof(text), "%s", reason ? reason : "damaged");
	for (char *c = strchr(text, '\n'); c; c = strchr(c, '\n')) // one line
		*c = ' ';
	return err_set(err, EINVAL, "not a whole tar archive: %s", text);
}

struct tarball *tarball_open(int fd, uint64_t limit, struct err *err)
{
	struct tarball *t = calloc(1, sizeof(*t));
	if (t)
		t->archive = archive_read_new();
	if (!t || !t->archive) {
		err_set(err, ENOMEM, "no memory to read an archive");
		tarball_close(t);
		return NULL;
	}
	t->stream = stream_open(fd, limit, err);
	if (!t->stream) {
		tarball_close(t);
		return NULL;
	}
	archive_read_support_format_tar(t->archive);
	if (archive_read_open2(t->archive, t, NULL, feed, NULL, NULL) != ARCHIVE_OK) {
		fail(t, err);
		if (!t->failure.msg[0])
			err_hint(err, "tar archives are read, plain or compressed with gzip, xz or zstd");
		tarball_close(t);
		return NULL;
	}
	return t;
}

static int drain(struct tarball *t, struct err *err)
{
	const void *data;
	ssize_t n;
	while ((n = stream_next(t->stream, &data, err)) > 0)
		;
	return n < 0 ? -1 : 0;
}

int tarball_next(struct tarball *t, struct tarball_entry *out_entry, struct err *err)
{
	int result = archive_read_next_header(t->archive, &t->entry);
	if (result == ARCHIVE_EOF)
		return drain(t, err);
	// A warning is about a name's encoding, and names are bytes here.
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return fail(t, err);
	struct archive_entry *e = t->entry;
	const char *hard = archive_entry_hardlink(e);
	*out_entry = (struct tarball_entry){
		.path = archive_entry_pathname(e),
		.link = hard ? hard : archive_entry_symlink(e),
		.hard_link = hard != NULL,
		.mode = archive_entry_mode(e),
		.uid = archive_entry_uid(e),
		.gid = archive_entry_gid(e),
		.size = archive_entry_size(e),
		.mtime = { .tv_sec = archive_entry_mtime(e), .tv_nsec = archive_entry_mtime_nsec(e) },
		.rdev = archive_entry_rdev(e),
	};
	archive_entry_xattr_reset(e);
	return out_entry->path ? 1 : err_set(err, EINVAL, "not a whole tar archive: an entry without a name");
}

int tarball_data(struct tarball *t, const void **out_data, size_t *out_size, int64_t *out_offset, struct err *err)
{
	la_int64_t offset = 0;
	int result = archive_read_data_block(t->archive, out_data, out_size, &offset);
	if (result == ARCHIVE_EOF)
		return 0;
	if (result != ARCHIVE_OK)
		return fail(t, err);
	*out_offset = offset;
	return 1;
}

bool tarball_xattr(struct tarball *t, const char **out_name, const void **out_value, size_t *out_size)
{
	return archive_entry_xattr_next(t->entry, out_name, out_value, out_size) == ARCHIVE_OK;
}

void tarball_close(struct tarball *t)
{
	if (!t)
		return;
	archive_read_free(t->archive);
	stream_close(t->stream);
	free(t);
}
