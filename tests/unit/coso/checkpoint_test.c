// SPDX-License-Identifier: GPL-2.0-or-later
// checkpoint_test.c - conversations with somebody who plays coso-criu: this program itself
#include "coso/launch/checkpoint.h"
#include "shared/fd.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STRAY = 99 }; // a descriptor that nobody hands over

static void say(int channel, const char *text, int fd)
{
	if (fd_send(channel, text, strlen(text), &fd, fd >= 0, NULL) < 0)
		_exit(9);
}

static const char *hear(int channel)
{
	static char text[256];
	ssize_t n = fd_recv(channel, text, sizeof(text) - 1, NULL, NULL, NULL);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static bool asks(int channel, const char *text, int fd)
{
	say(channel, text, fd);
	return strcmp(hear(channel), "ok") == 0;
}

static void restore(int channel, const char *word)
{
	own_fd int terminal = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char byte = 0;
	// A descriptor that was handed over is there, and nothing else is.
	if (read((int)strtol(word, NULL, 10), &byte, 1) != 1 || byte != 'x' || fcntl(STRAY, F_GETFD) >= 0)
		_exit(3);
	if (getenv("HOME") || !getenv("PATH"))
		_exit(4);
	if (!asks(channel, "notify setup-namespaces 4711", -1) || !asks(channel, "notify orphan-pts-master 0", terminal))
		_exit(5);
	say(channel, "done 4711", -1);
}

// Run instead of the tests: PROGRAM play SCENE WORD --channel FD.
__attribute__((constructor)) static void play(int argc, char *argv[])
{
	if (argc != 6 || strcmp(argv[1], "play") != 0)
		return;
	int channel = (int)strtol(argv[5], NULL, 10);
	const char *scene = argv[2];
	if (strcmp(scene, "restore") == 0)
		restore(channel, argv[3]);
	else if (strcmp(scene, "refused") == 0)
		say(channel, asks(channel, "notify post-dump 0", -1) ? "done 0" : hear(channel), -1);
	else if (strcmp(scene, "reason") == 0) {
		say(channel, "notify post-dump 0", -1);
		char text[300];
		snprintf(text, sizeof(text), "error it was told: %s", hear(channel));
		say(channel, text, -1);
	} else if (strcmp(scene, "nonsense") == 0)
		say(channel, argv[3], -1);
	_exit(strcmp(scene, "dies") == 0 ? 42 : 0);
}

struct seen {
	char text[256];
	int terminal;
};

static int note(void *owner, struct checkpoint_notice *notice, struct err *err)
{
	struct seen *seen = owner;
	size_t length = strlen(seen->text);
	snprintf(seen->text + length, sizeof(seen->text) - length, "%s %d, ", notice->name, (int)notice->pid);
	if (notice->fd >= 0)
		seen->terminal = take_fd(&notice->fd);
	return strcmp(notice->name, "post-dump") == 0 ? err_set(err, EPERM, "it may not be") : 0;
}

static int run(struct arena *arena, const char *scene, const char *word, struct seen *seen, const char **out, struct err *err)
{
	struct strv words = { 0 };
	int fd = (int)strtol(word, NULL, 10);
	strv_push(arena, &words, "play");
	strv_push(arena, &words, scene);
	strv_push(arena, &words, word);
	const struct checkpoint checkpoint = {
		.arena = arena,
		.helper = "/proc/self/exe",
		.words = &words,
		.fds = &fd,
		.fd_count = fd > 0,
		.notify = seen ? note : NULL,
		.owner = seen,
	};
	return checkpoint_run(&checkpoint, out, err);
}

TEST(checkpoint, questions_descriptors_and_the_result)
{
	own_arena struct arena arena = { 0 };
	struct seen seen = { .terminal = -1 };
	const char *value = NULL;
	struct err err = { 0 };
	char number[16], byte = 'x';
	int ends[2];
	CU_ASSERT_EQUAL(dup2(STDERR_FILENO, STRAY), STRAY);
	CU_ASSERT_EQUAL(pipe2(ends, O_CLOEXEC), 0);
	CU_ASSERT_EQUAL(write(ends[1], &byte, 1), 1);
	snprintf(number, sizeof(number), "%d", ends[0]);
	int rc = run(&arena, "restore", number, &seen, &value, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.msg);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT(value && strcmp(value, "4711") == 0);
	CU_ASSERT_STRING_EQUAL(seen.text, "setup-namespaces 4711, orphan-pts-master 0, ");
	CU_ASSERT(read(seen.terminal, &byte, 1) == 1 && byte == 0);
	fd_close(&seen.terminal);
	close(STRAY);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

TEST(checkpoint, whoever_is_told_to_give_up_is_told_why)
{
	own_arena struct arena arena = { 0 };
	struct seen seen = { .terminal = -1 };
	const char *value = "untouched";
	struct err err = { 0 };
	CU_ASSERT_EQUAL(run(&arena, "reason", "", &seen, &value, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "it was told: no it may not be");
	CU_ASSERT_STRING_EQUAL(value, "untouched");
	CU_ASSERT_EQUAL(run(&arena, "refused", "", NULL, &value, &err), 0); // nobody objects
	CU_ASSERT_STRING_EQUAL(value, "0");
}

TEST(checkpoint, helpers_that_fail)
{
	static const char *const nonsense[] = { "hello", "notify", "notify x", "notify x -1", "notify x y", "" };
	own_arena struct arena arena = { 0 };
	const char *value = "untouched";
	struct err err = { 0 };
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++)
		CU_ASSERT_EQUAL(run(&arena, "nonsense", nonsense[i], NULL, &value, &err), -1);
	CU_ASSERT_EQUAL(run(&arena, "nonsense", "error a reason", NULL, &value, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "a reason");
	CU_ASSERT_EQUAL(run(&arena, "dies", "", NULL, &value, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "coso-criu ended without an answer (status 42)");
	const struct strv none = { 0 };
	const struct checkpoint missing = { .arena = &arena, .helper = "/nowhere/coso-criu", .words = &none };
	CU_ASSERT_EQUAL(checkpoint_run(&missing, &value, &err), -1);
	CU_ASSERT_EQUAL(err.code, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "it is built where criu is installed"));
	CU_ASSERT_STRING_EQUAL(value, "untouched");
}

TEST(checkpoint, keys_of_mounts)
{
	own_arena struct arena arena = { 0 };
	CU_ASSERT_STRING_EQUAL(checkpoint_mount(&arena, "/a", "/b:c"), "/a:/b:c");
	CU_ASSERT_STRING_EQUAL(checkpoint_mount(&arena, "/a:b\\", "/c\\"), "/a\\:b\\\\:/c\\");
}
