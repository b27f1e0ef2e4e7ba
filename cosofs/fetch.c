// SPDX-License-Identifier: GPL-2.0-or-later
// fetch.c - downloads a file, by libcurl
#include "cosofs/fetch.h"

#include "cosofs/digest.h"
#include "cosofs/interrupt.h"
#include "cosofs/progress.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/str.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_MS = 3000, SLOW_SECONDS = 5, SLOW_BYTES = 1000, REDIRECTS = 5, TRIES = 3 };

struct transfer {
	const struct fetch *fetch;
	int fd;
	uint64_t offset; // where the next byte goes
	uint64_t begun;  // where this transfer began
	int write_error; // errno of a failed write
	bool too_large, interrupted;
	bool refused; // the server can't begin at `begun`
	bool broken;  // the connection broke after some bytes: worth another try
	struct progress progress;
};

static size_t take(char *data, size_t one, size_t size, void *to)
{
	struct transfer *t = to;
	size *= one;
	if (size > t->fetch->max - t->offset) {
		t->too_large = true;
		return 0;
	}
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(t->fd, data + done, size - done, (off_t)t->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			t->write_error = errno;
			return 0;
		}
		done += (size_t)n;
		t->offset += (size_t)n;
	}
	return size;
}

static int watch(void *to, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	struct transfer *t = to;
	(void)up_total;
	(void)up_now;
	progress_show(&t->progress, t->begun + (uint64_t)now, total > 0 ? t->begun + (uint64_t)total : 0);
	t->interrupted = interrupt_pending();
	return t->interrupted;
}

static void set_options(CURL *curl, struct transfer *t, char *reason)
{
	bool secure = strncasecmp(t->fetch->url, "https:", 6) == 0;
	curl_easy_setopt(curl, CURLOPT_URL, t->fetch->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "cosofs/" COSO_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->begun);
}

// Whether the server gave the rest of the file when asked for it. It may not know ranges (CURLE_RANGE_ERROR), or have a file
// that is shorter than what is here (status 416): then the file is fetched from its start.
static bool refused_range(CURL *curl, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME ||
	       (code == CURLE_HTTP_RETURNED_ERROR && status == 416);
}

static enum fetch_result judge(const struct transfer *t, CURLcode code, const char *reason, struct err *err)
{
	const char *url = t->fetch->url;
	if (code == CURLE_OK)
		return FETCH_OK;
	if (t->interrupted)
		err_set(err, EINTR, "download '%s': interrupted", url);
	else if (t->too_large)
		err_set(err, EFBIG, "download '%s': larger than %llu bytes", url, (unsigned long long)t->fetch->max);
	else if (t->write_error)
		err_set(err, t->write_error, "download '%s': write it: %s (free some space)", url, strerror(t->write_error));
	else
		err_set(err, EHOSTUNREACH, "download '%s': %s", url, *reason ? reason : curl_easy_strerror(code));
	return t->interrupted || t->too_large || t->write_error ? FETCH_FAILED : FETCH_UNREACHABLE;
}

// One request, from byte t->begun on.
static enum fetch_result request(struct transfer *t, struct err *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	if (!curl) {
		err_set(err, ENOMEM, "libcurl can't start");
		return FETCH_FAILED;
	}
	set_options(curl, t, reason);
	progress_begin(&t->progress, t->fetch->what);
	CURLcode code = curl_easy_perform(curl);
	progress_end(&t->progress);
	t->refused = t->begun && refused_range(curl, code);
	enum fetch_result result = judge(t, code, reason, err);
	t->broken = result == FETCH_UNREACHABLE && t->offset > t->begun && code != CURLE_OPERATION_TIMEDOUT;
	curl_easy_cleanup(curl);
	return result;
}

// Returns 1 if the file is what it must be, 0 if it isn't, -1 on failure.
static int matches(const struct fetch *fetch, int fd, char hex[DIGEST_HEX + 1], struct err *err)
{
	if (!fetch->sha256)
		return 1;
	if (digest_file(fd, hex, err) < 0)
		return -1;
	return strcasecmp(hex, fetch->sha256) == 0;
}

// Fetches what is missing behind byte `begun`, in several requests if the connection breaks. *out_refused: begin at 0 instead.
static enum fetch_result fetch_rest(const struct fetch *fetch, int fd, uint64_t begun, bool *out_refused, struct err *err)
{
	enum fetch_result result = FETCH_FAILED;
	struct transfer t = { .offset = begun };
	if (ftruncate(fd, (off_t)begun) < 0) {
		err_sys(err, "download '%s'", fetch->url);
		return FETCH_FAILED;
	}
	for (int i = 0; i < TRIES; i++) {
		t = (struct transfer){ .fetch = fetch, .fd = fd, .begun = t.offset, .offset = t.offset };
		if (t.begun)
			log_verbose("going on with the download after %llu bytes", (unsigned long long)t.begun);
		result = request(&t, err);
		if (!t.broken || !fetch->sha256)
			break;
	}
	*out_refused = t.refused;
	return result;
}

static enum fetch_result fetch_from(const struct fetch *fetch, int fd, uint64_t begun, struct err *err)
{
	char hex[DIGEST_HEX + 1];
	bool refused = false;
	enum fetch_result result = fetch_rest(fetch, fd, begun, &refused, err);
	if (refused && begun)
		return fetch_from(fetch, fd, 0, err);
	if (result != FETCH_OK)
		return result;
	int ok = matches(fetch, fd, hex, err);
	if (ok > 0)
		return FETCH_OK;
	if (ok == 0 && begun) { // the part was another file's
		log_verbose("the download doesn't fit what was there: once more from its start");
		return fetch_from(fetch, fd, 0, err);
	}
	if (ok == 0)
		err_set(err, EBADMSG,
			"download '%s': its SHA-256 is %s, and not %s (is something between you and the server? give a file: "
			"--tarball)",
			fetch->url, hex, fetch->sha256);
	return FETCH_FAILED;
}

enum fetch_result fetch_file(const struct fetch *fetch, int fd, struct err *err)
{
	char hex[DIGEST_HEX + 1];
	struct stat st;
	if (fstat(fd, &st) < 0) {
		err_sys(err, "look at the download so far");
		return FETCH_FAILED;
	}
	uint64_t have = fetch->sha256 && (uint64_t)st.st_size <= fetch->max ? (uint64_t)st.st_size : 0;
	if (have && matches(fetch, fd, hex, NULL) > 0)
		return FETCH_OK;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, 0, "libcurl can't start");
		return FETCH_FAILED;
	}
	enum fetch_result result = fetch_from(fetch, fd, have, err);
	curl_global_cleanup();
	return result;
}
