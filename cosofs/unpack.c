// SPDX-License-Identifier: GPL-2.0-or-later
// unpack.c - unpacks an archive in a jailed process
//
// Theory of operation. The parent keeps its rights and reads nothing of the archive. It forks a child that jails itself, reads,
// makes the files and reports through a pipe: one struct report, written at the end. The child dies with the parent.
#include "cosofs/unpack.h"

#include "cosofs/interrupt.h"
#include "cosofs/jail.h"
#include "shared/fd.h"
#include "shared/log.h"
#include "shared/proc.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

// Beside file content an archive has headers, and padding between files.
static const uint64_t HEADERS = (uint64_t)1 << 30;
static const uint64_t ENTRIES = 4000000;

struct report {
	int ok;
	struct err err;
	struct extract_count count;
};

static int extract_all(int archive, int root, const struct extract_options *options, struct report *report)
{
	struct tarball_entry entry;
	struct extract x;
	uint64_t limit = options->max_bytes > UINT64_MAX / 2 - HEADERS ? UINT64_MAX : 2 * options->max_bytes + HEADERS;
	struct tarball *tarball = tarball_open(archive, limit, &report->err);
	if (!tarball)
		return -1;
	extract_begin(&x, root, tarball, options);
	int more;
	while ((more = tarball_next(tarball, &entry, &report->err)) > 0) {
		if (extract_entry(&x, &entry, &report->err) < 0)
			break;
	}
	int result = more == 0 ? extract_finish(&x, &report->err) : -1;
	if (result == 0 && x.count.entries == 0)
		result = err_set(&report->err, EINVAL, "it has no entries: not a tar archive");
	report->count = x.count;
	tarball_close(tarball);
	extract_free(&x);
	return result;
}

static void child(const struct unpack *unpack, int out)
{
	struct report report = { 0 };
	int root = -1;
	struct jail jail = { .folder = unpack->folder, .keep = { unpack->archive, out, -1 }, .layer = unpack->options.layer };
	interrupt_release();
	// Names are bytes; libarchive says so with warnings unless the locale is UTF-8. Loaded here, since nothing can be in there.
	setlocale(LC_CTYPE, "C.UTF-8");
	if (jail_enter(&jail, &root, &report.err) == 0 && extract_all(unpack->archive, root, &unpack->options, &report) == 0)
		report.ok = 1;
	(void)fd_write_full(out, &report, sizeof(report));
	_exit(0);
}

// Waits for the child. An interruption ends it.
static int wait_child(pid_t pid, int pidfd, int *out_status, struct err *err)
{
	for (;;) {
		int done = proc_wait(pidfd, 100, out_status);
		if (done < 0)
			return err_sys(err, "wait for the process that unpacks");
		if (interrupt_pending())
			kill(pid, SIGKILL);
		if (done)
			return 0;
	}
}

static int free_bytes(int folder, uint64_t *out, struct err *err)
{
	struct statvfs st;
	if (fstatvfs(folder, &st) < 0)
		return err_sys(err, "ask for free disk space");
	*out = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

static int judge(const struct report *report, ssize_t size, int status, struct err *err)
{
	if (interrupt_pending())
		return err_set(err, EINTR, "interrupted");
	if (size != (ssize_t)sizeof(*report))
		return err_set(err, 0, "the process that unpacks it ended early (wait status %#x)", (unsigned int)status);
	if (report->ok)
		return 0;
	*err = report->err;
	if (report->err.code == ENOSPC || report->err.code == EDQUOT)
		err_hint(err, "free some space; nothing was left behind");
	return -1;
}

// Starts the child and waits for its end. Returns what it reported.
static ssize_t run_child(const struct unpack *unpack, struct report *report, int *out_status, struct err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	own_fd int in = ends[0];
	own_fd int out = ends[1];
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_sys(err, "start a process");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			child(unpack, out);
		_exit(1);
	}
	fd_close(&out);
	own_fd int pidfd = sys_pidfd_open(pid, 0);
	int watched = pidfd < 0 ? err_sys(err, "watch a process") : wait_child(pid, pidfd, out_status, err);
	if (watched < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return -1;
	}
	return fd_read_full(in, report, sizeof(*report));
}

int unpack_run(const struct unpack *unpack, struct extract_count *out_count, struct err *err)
{
	struct unpack limited = *unpack;
	struct report report;
	int status = 0;
	if (!limited.options.max_entries)
		limited.options.max_entries = ENTRIES;
	if (!limited.options.max_bytes && free_bytes(unpack->folder, &limited.options.max_bytes, err) < 0)
		return -1;
	ssize_t size = run_child(&limited, &report, &status, err);
	if (size < 0 || judge(&report, size, status, err) < 0)
		return err_wrap(err, "unpack '%s'", unpack->name);
	*out_count = report.count;
	return 0;
}

void unpack_warn(const struct extract_count *count)
{
	if (count->devices)
		log_warning("%llu devices were left out (only root makes them; a container has its own /dev)",
			    (unsigned long long)count->devices);
	if (count->owners)
		log_warning(
			"%llu entries belong to you instead of their owner (more ids: a range for you in /etc/subuid and /etc/subgid)",
			(unsigned long long)count->owners);
	if (count->xattrs)
		log_warning("%llu extended attributes were left out (this file system or user may not set them)",
			    (unsigned long long)count->xattrs);
	if (count->marks)
		log_verbose("%llu whiteouts were passed over (unpack --layer makes them)", (unsigned long long)count->marks);
}
