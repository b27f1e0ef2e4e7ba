// SPDX-License-Identifier: GPL-2.0-or-later
// stream.c - the bytes inside a compressed file
//
// Theory of operation. One thread fills a ring of blocks, the caller empties it. `filled` and `emptied` count blocks since the
// start; their difference is what the ring holds. The thread writes only to block filled % BLOCKS, the caller reads only block
// emptied % BLOCKS, which it gives back with its next call; so the data itself needs no lock.
#include "cosofs/stream.h"

#include "shared/fd.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCKS = 16, BLOCK = 256 << 10, INPUT = 256 << 10 };

struct stream {
	int fd;
	uint64_t limit, total;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned char *data[BLOCKS];
	size_t size[BLOCKS];
	size_t filled, emptied;
	bool held;          // the caller still uses block `emptied`
	bool ended, stop;   // the thread is done; the caller wants it to be
	struct err failure; // why it ended; an empty message: at the end of the file
	unsigned char input[INPUT];
};

// A block to fill, or NULL when the caller is gone.
static unsigned char *block_get(struct stream *s)
{
	pthread_mutex_lock(&s->mutex);
	while (!s->stop && s->filled - s->emptied == BLOCKS)
		pthread_cond_wait(&s->changed, &s->mutex);
	unsigned char *block = s->stop ? NULL : s->data[s->filled % BLOCKS];
	pthread_mutex_unlock(&s->mutex);
	return block;
}

static int block_put(struct stream *s, size_t size)
{
	s->total += size;
	if (s->total > s->limit)
		return err_set(&s->failure, EFBIG, "it holds more than %llu bytes (--max-size)", (unsigned long long)s->limit);
	if (size == 0)
		return 0;
	pthread_mutex_lock(&s->mutex);
	s->size[s->filled++ % BLOCKS] = size;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->mutex);
	return 0;
}

// Returns how much was read into s->input, 0 at the end, -1 with s->failure set.
static ssize_t input_read(struct stream *s)
{
	ssize_t n = fd_read_full(s->fd, s->input, sizeof(s->input));
	return n < 0 ? err_sys(&s->failure, "read it") : n;
}

struct gzip {
	z_stream z;
	bool open_member; // inside a member: an end of file here means that it is truncated
	bool after;       // a whole member was seen
};

// Looks at what follows a member: another member, zeros that pad the file (as tapes and some tools have them), or neither.
static int gzip_between(struct stream *s, struct gzip *g)
{
	while (g->z.avail_in && g->after && *g->z.next_in == 0) {
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (!g->z.avail_in)
		return 0;
	if (*g->z.next_in != 0x1f)
		return err_set(&s->failure, EINVAL, "something that is not gzip follows the gzip data");
	g->open_member = true;
	return inflateReset(&g->z) == Z_OK ? 0 : err_set(&s->failure, EINVAL, "zlib can't start");
}

// Fills one block. Returns its size, which is less than a block only at the end of the file, or -1.
static ssize_t gzip_block(struct stream *s, struct gzip *g, unsigned char *block)
{
	g->z.next_out = block;
	g->z.avail_out = BLOCK;
	while (g->z.avail_out) {
		if (!g->z.avail_in) {
			ssize_t n = input_read(s);
			if (n < 0)
				return -1;
			if (n == 0 && g->open_member)
				return err_set(&s->failure, EINVAL, "it is truncated: the gzip data has no end");
			if (n == 0)
				break;
			g->z.next_in = s->input;
			g->z.avail_in = (unsigned int)n;
		}
		if (!g->open_member && gzip_between(s, g) < 0)
			return -1;
		if (!g->open_member)
			continue;
		int result = inflate(&g->z, Z_NO_FLUSH);
		if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
			return err_set(&s->failure, EINVAL, "it is damaged: %s", g->z.msg ? g->z.msg : "not gzip data");
		if (result == Z_STREAM_END) {
			g->open_member = false;
			g->after = true;
		}
	}
	return (ssize_t)(BLOCK - g->z.avail_out);
}

static void read_gzip(struct stream *s)
{
	struct gzip g = { 0 };
	if (inflateInit2(&g.z, 15 + 16) != Z_OK) { // 16: a gzip header and trailer, checked
		err_set(&s->failure, ENOMEM, "zlib can't start");
		return;
	}
	unsigned char *block;
	ssize_t n = BLOCK;
	while (n == BLOCK && (block = block_get(s))) {
		n = gzip_block(s, &g, block);
		if (n < 0 || block_put(s, (size_t)n) < 0)
			break;
	}
	inflateEnd(&g.z);
}

static void read_plain(struct stream *s)
{
	unsigned char *block;
	ssize_t n = BLOCK;
	while (n == BLOCK && (block = block_get(s))) {
		n = fd_read_full(s->fd, block, BLOCK);
		if (n < 0)
			err_sys(&s->failure, "read it");
		if (n < 0 || block_put(s, (size_t)n) < 0)
			break;
	}
}

static la_ssize_t feed(struct archive *a, void *data, const void **out)
{
	struct stream *s = data;
	ssize_t n = input_read(s);
	if (n < 0)
		archive_set_error(a, EIO, "%s", s->failure.msg);
	*out = s->input;
	return n;
}

// xz and zstd: libarchive's filters, with a "raw" file of one entry in place of a tar archive.
static void read_filtered(struct stream *s)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_format_raw(a);
	bool ok =
		archive_read_open2(a, s, NULL, feed, NULL, NULL) == ARCHIVE_OK && archive_read_next_header(a, &entry) == ARCHIVE_OK;
	unsigned char *block;
	while (ok && (block = block_get(s))) {
		la_ssize_t n = archive_read_data(a, block, BLOCK);
		ok = n >= 0;
		if (n <= 0 || block_put(s, (size_t)n) < 0)
			break;
	}
	if (!ok && !s->failure.msg[0])
		err_set(&s->failure, EINVAL, "it is damaged: %s", archive_error_string(a) ? archive_error_string(a) : "unreadable");
	archive_read_free(a);
}

static void *run(void *data)
{
	struct stream *s = data;
	unsigned char magic[6] = { 0 };
	ssize_t n = pread(s->fd, magic, sizeof(magic), lseek(s->fd, 0, SEEK_CUR));
	if (n < 0)
		err_sys(&s->failure, "read it");
	else if (n == 0)
		err_set(&s->failure, EINVAL, "it is empty");
	else if (magic[0] == 0x1f && magic[1] == 0x8b)
		read_gzip(s);
	else if (memcmp(magic,
			"\xfd"
			"7zXZ",
			6) == 0 ||
		 memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
		read_filtered(s);
	else
		read_plain(s);

	pthread_mutex_lock(&s->mutex);
	s->ended = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

static void stream_free(struct stream *s)
{
	for (int i = 0; i < BLOCKS; i++)
		free(s->data[i]);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->changed);
	free(s);
}

struct stream *stream_open(int fd, uint64_t limit, struct err *err)
{
	struct stream *s = calloc(1, sizeof(*s));
	if (!s) {
		err_set(err, ENOMEM, "no memory to read an archive");
		return NULL;
	}
	s->fd = fd;
	s->limit = limit;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->changed, NULL);
	bool ok = true;
	for (int i = 0; i < BLOCKS; i++)
		ok = (s->data[i] = malloc(BLOCK)) && ok;
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	int code = ok ? pthread_create(&s->thread, NULL, run, s) : ENOMEM;
	if (code) {
		err_set(err, code, "start a thread that decompresses: %s", strerror(code));
		stream_free(s);
		return NULL;
	}
	return s;
}

ssize_t stream_next(struct stream *s, const void **out_data, struct err *err)
{
	ssize_t n = 0;
	pthread_mutex_lock(&s->mutex);
	if (s->held) {
		s->held = false;
		s->emptied++;
		pthread_cond_signal(&s->changed);
	}
	while (!s->ended && s->filled == s->emptied)
		pthread_cond_wait(&s->changed, &s->mutex);
	if (s->filled != s->emptied) {
		s->held = true;
		*out_data = s->data[s->emptied % BLOCKS];
		n = (ssize_t)s->size[s->emptied % BLOCKS];
	} else if (s->failure.msg[0]) {
		n = err_set(err, s->failure.code, "%s", s->failure.msg);
	}
	pthread_mutex_unlock(&s->mutex);
	return n;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stop = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
	stream_free(s);
}
