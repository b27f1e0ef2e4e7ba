// SPDX-License-Identifier: GPL-2.0-or-later
// claim.c - claims on containers
#include "coso/engine/claim.h"

#include "shared/fd.h"
#include "shared/log.h"
#include "shared/num.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_MS = 500, OWNER_SIZE = 96 };

static int open_locked(int dir, const char *name, struct err *err)
{
	own_fd int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", name);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, EBUSY, "'%s' is in use", name);
	// It may have been removed, and made anew by somebody else, before it was locked.
	struct stat here, there;
	if (fstat(fd, &here) < 0 || fstatat(dir, name, &there, AT_SYMLINK_NOFOLLOW) < 0 || here.st_ino != there.st_ino)
		return err_set(err, ENOENT, "'%s' is gone", name);
	return take_fd(&fd);
}

static int reserve(const struct place *place, const char *id, struct claim *claim, struct err *err)
{
	char fresh[32];
	snprintf(fresh, sizeof(fresh), ".new.%d", (int)getpid());
	if (mkdirat(place->run_fd, fresh, 0700) < 0 && errno != EEXIST)
		return err_sys(err, "make folder '%s/%s'", place->run, fresh);
	claim->state = open_locked(place->run_fd, fresh, err);
	if (claim->state < 0) {
		unlinkat(place->run_fd, fresh, AT_REMOVEDIR);
		return -1;
	}
	if (renameat2(place->run_fd, fresh, place->run_fd, id, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		err_set(err, EEXIST, "a container '%s' exists already (coso ps shows it, coso rm removes it)", id);
	else
		err_sys(err, "make folder '%s/%s'", place->run, id);
	unlinkat(place->run_fd, fresh, AT_REMOVEDIR);
	return -1;
}

// What tells a process from all others that have had its pid: a folder of claims may outlive the boot.
static void describe_owner(pid_t pid, char out[OWNER_SIZE])
{
	snprintf(out, OWNER_SIZE, "%" PRIu64 " %s", proc_start_time(pid), proc_boot_id());
}

static int write_claim(const struct place *place, const char *id, struct claim *claim, struct err *err)
{
	char owner[OWNER_SIZE];
	snprintf(claim->name, sizeof(claim->name), "%d:%s", (int)getpid(), id);
	describe_owner(getpid(), owner);
	if (symlinkat(owner, place->owners_fd, claim->name) == 0)
		return 0;
	claim->name[0] = '\0';
	return err_sys(err, "claim '%s' in '%s/.owners'", id, place->run);
}

int claim_take(const struct place *place, const char *id, struct claim *out_claim, struct err *err)
{
	struct claim claim = { .state = -1 };
	if (write_claim(place, id, &claim, err) < 0)
		return -1;
	if (reserve(place, id, &claim, err) < 0) {
		claim_drop(place, &claim);
		return -1;
	}
	*out_claim = claim;
	return 0;
}

int claim_lock(const struct place *place, const char *id, struct claim *out_claim, struct err *err)
{
	struct claim claim = { .state = -1 };
	if (write_claim(place, id, &claim, err) < 0)
		return -1;
	claim.state = open_locked(place->run_fd, id, err);
	if (claim.state < 0) {
		claim_drop(place, &claim);
		return -1;
	}
	*out_claim = claim;
	return 0;
}

void claim_leave(struct claim *claim)
{
	fd_close(&claim->state);
	claim->name[0] = '\0';
}

void claim_drop(const struct place *place, struct claim *claim)
{
	fd_close(&claim->state);
	if (claim->name[0])
		unlinkat(place->owners_fd, claim->name, 0);
	claim->name[0] = '\0';
}

void claim_release(const struct place *place, const char *id, struct claim *claim)
{
	struct err err = { 0 };
	if (path_remove_tree(place->run_fd, id, &err) < 0) {
		log_warning("%s", err.msg);
		claim_leave(claim);
		return;
	}
	claim_drop(place, claim);
}

struct dead {
	pid_t pid;
	const char *id; // behind the ':' of the name
};

// True if the claim's owner is gone. kill(2) tells most; start time and boot tell a recycled pid.
static bool is_dead(const struct place *place, const char *name, size_t *exact, struct dead *out)
{
	const char *colon = strchr(name, ':');
	char number[16], claimed[OWNER_SIZE], owner[OWNER_SIZE];
	uint64_t pid;
	if (!colon || (size_t)(colon - name) >= sizeof(number) || !colon[1])
		return false;
	memcpy(number, name, (size_t)(colon - name));
	number[colon - name] = '\0';
	if (num_u64("pid", number, 1, INT32_MAX, &pid, NULL) < 0)
		return false;
	out->pid = (pid_t)pid;
	out->id = colon + 1;
	if (kill(out->pid, 0) < 0 && errno == ESRCH)
		return true;
	// In a small pid namespace, the next coso often has the pid of the one that crashed.
	if (*exact == 0 && out->pid != getpid())
		return false;
	*exact -= *exact > 0;
	ssize_t n = readlinkat(place->owners_fd, name, claimed, sizeof(claimed) - 1);
	if (n < 0)
		return false;
	claimed[n] = '\0';
	describe_owner(out->pid, owner);
	if (!strchr(claimed, ' ')) // of an earlier version, which didn't tell the boot
		*strchr(owner, ' ') = '\0';
	return !str_eq(claimed, owner);
}

// A child that is being killed with its launcher, just cloned, may hold a copy of the lock for a moment more.
static int wait_locked(int dir, const char *name, struct err *err)
{
	int64_t deadline = proc_now_ms() + LOCK_MS;
	for (;;) {
		int fd = open_locked(dir, name, err);
		if (fd >= 0 || err->code != EBUSY || proc_now_ms() >= deadline)
			return fd;
		fd_wait(-1, 2);
	}
}

// True if the claim can go.
static bool settle(const struct place *place, const struct dead *dead, bool (*mend)(const struct place *, const char *, int))
{
	char fresh[32];
	struct err err = { 0 };
	snprintf(fresh, sizeof(fresh), ".new.%d", (int)dead->pid);
	unlinkat(place->run_fd, fresh, AT_REMOVEDIR);
	own_fd int state = wait_locked(place->run_fd, dead->id, &err);
	if (state < 0)
		return err.code == ENOENT; // no folder: nothing else can be there
	return mend(place, dead->id, state);
}

void claim_each_dead(const struct place *place, size_t exact, bool (*mend)(const struct place *place, const char *id, int state))
{
	int copy = openat(place->owners_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
	if (!list) {
		fd_close(&copy);
		return;
	}
	struct dirent *entry;
	while ((entry = readdir(list))) {
		struct dead dead = { 0 };
		if (entry->d_name[0] != '.' && is_dead(place, entry->d_name, &exact, &dead) && settle(place, &dead, mend))
			unlinkat(place->owners_fd, entry->d_name, 0);
	}
	closedir(list);
}
