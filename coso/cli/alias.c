// SPDX-License-Identifier: GPL-2.0-or-later
// alias.c - coso under the name of barco, MyDocker or Gontainer: their letters, our flags
#include "coso/cli/cli.h"
#include "shared/num.h"
#include "shared/str.h"

#include <errno.h>
#include <string.h>

struct words {
	struct arena *arena;
	struct strv out;
	char *const *in;   // what is still to be read
	const char *value; // what is left of a bundle such as "-c25"
};

static void put(struct words *w, const char *word)
{
	strv_push(w->arena, &w->out, word);
}

static void put_pair(struct words *w, const char *flag, const char *value)
{
	put(w, flag);
	put(w, value);
}

static const char *take_value(struct words *w)
{
	return *w->in ? *w->in++ : NULL;
}

static int missing(char letter, const char *name, struct err *err)
{
	return err_set(err, EINVAL, "flag needs an argument: -%c (%s)", letter, name);
}

// barco -u UID -m ROOT -c COMMAND -a ARGUMENT [-v]
static int barco(struct words *w, struct err *err)
{
	const char *command = NULL, *argument = NULL;
	put_pair(w, "--profile", "barco");
	put_pair(w, "--network", "none");
	while (*w->in) {
		const char *word = *w->in++, *value;
		if (str_eq(word, "-v") || str_eq(word, "--help") || str_eq(word, "-h") || str_eq(word, "--version")) {
			put(w, word);
			continue;
		}
		if (word[0] != '-' || !word[1] || word[2] || !strchr("umca", word[1]))
			return err_set(err, EINVAL, "barco: unknown option '%.80s' (-u UID -m ROOT -c COMMAND -a ARGUMENT -v)",
				       word);
		value = take_value(w);
		if (!value)
			return missing(word[1], "barco", err);
		switch (word[1]) {
		case 'u':
			put_pair(w, "--user", arena_printf(w->arena, "%s:%s", value, value)); // user and group
			break;
		case 'm':
			put_pair(w, "--rootfs", value);
			break;
		case 'c':
			command = value;
			break;
		default:
			argument = value;
		}
	}
	if (!command)
		return 0;
	put(w, "--");
	struct strv parts = str_split(w->arena, command, ' '); // barco takes "/bin/bash -c" as one word
	for (size_t i = 0; i < parts.count; i++) {
		if (*parts.items[i])
			put(w, parts.items[i]);
	}
	if (argument)
		put(w, argument);
	return 0;
}

// One letter of MyDocker's; a value is the next word.
static int mydocker_letter(struct words *w, char letter, bool *out_user, struct err *err)
{
	static const struct {
		char letter;
		const char *flag, *name;
		uint64_t least, most;
	} limits[] = {
		{ 'M', "--memory", "MyDocker: -M (bytes)", 1, 1ULL << 32 },
		{ 'C', "--cpu-weight", "MyDocker: -C (percent)", 1, 100 },
		{ 'P', "--pids-limit", "MyDocker: -P (processes)", 10, 32768 },
		{ 'I', "--io-weight", "MyDocker: -I (weight)", 10, 1000 },
	};

	if (letter == 'a')
		return 0;
	if (letter == 'U') {
		*out_user = true;
		return 0;
	}
	if (letter == 'c') {
		put_pair(w, "--profile", "mydocker");
		return 0;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (letter != limits[i].letter)
			continue;
		const char *value = take_value(w);
		if (!value)
			return missing(letter, "MyDocker", err);
		uint64_t number;
		if (num_u64(limits[i].name, value, limits[i].least, limits[i].most, &number, err) < 0)
			return -1;
		put_pair(w, limits[i].flag, letter == 'C' ? arena_printf(w->arena, "%s%%", value) : value);
		return 0;
	}
	return err_set(err, EINVAL, "MyDocker: unknown option '-%c' (-a -U -c -M BYTES -C PERCENT -P PIDS -I WEIGHT)", letter);
}

// MyDocker -aUc [-M BYTES] [-C PERCENT] [-P PIDS] [-I WEIGHT] ENTRYPOINT
static int mydocker(struct words *w, struct err *err)
{
	bool user = false;
	put_pair(w, "--network", "none");
	while (*w->in && (*w->in)[0] == '-' && (*w->in)[1]) {
		const char *word = *w->in++;
		if (word[1] == '-') { // a flag of coso's own, such as --rootfs=DIR
			put(w, word);
			continue;
		}
		for (const char *c = word + 1; *c; c++) {
			if (mydocker_letter(w, *c, &user, err) < 0)
				return -1;
		}
	}
	if (!user)
		put_pair(w, "--userns", "host");
	return 0;
}

// Gontainer -run -uid -mnt=ROOT -uts -hostname=NAME -ipc -net -pid: only the namespaces that are named.
static int gontainer(struct words *w, struct err *err)
{
	char *list = arena_strdup(w->arena, "");
	(void)err;
	while (*w->in && (*w->in)[0] == '-') {
		const char *word = *w->in++;
		const char *name = word + 1 + (word[1] == '-');
		if (str_eq(name, "uts") || str_eq(name, "ipc") || str_eq(name, "net") || str_eq(name, "pid"))
			list = arena_printf(w->arena, "%s,%s", list, name);
		else if (str_eq(name, "uid"))
			list = arena_printf(w->arena, "%s,user", list);
		else if (str_eq(name, "v"))
			put(w, "--version");
		else if (!str_eq(name, "run"))
			put(w, word);
		if (str_starts(name, "mnt"))
			list = arena_printf(w->arena, "%s,mount", list);
	}
	put_pair(w, "--network", "none");
	put(w, "--verbose"); // it prints its configuration
	if (*list)
		put_pair(w, "--ns", list + 1);
	return 0;
}

int alias_translate(struct arena *arena, int *argc, char ***argv, struct err *err)
{
	const char *slash = strrchr((*argv)[0], '/'), *name = slash ? slash + 1 : (*argv)[0];
	int (*translate)(struct words *, struct err *) = str_eq(name, "barco")     ? barco :
							 str_eq(name, "MyDocker")  ? mydocker :
							 str_eq(name, "Gontainer") ? gontainer :
										     NULL;
	if (!translate)
		return 0;
	struct words w = { .arena = arena, .in = *argv + 1 };
	put(&w, (*argv)[0]);
	if (translate(&w, err) < 0)
		return -1;
	while (*w.in)
		put(&w, *w.in++);
	*argc = (int)w.out.count;
	*argv = w.out.items;
	return 0;
}
