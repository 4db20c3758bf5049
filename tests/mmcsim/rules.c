/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules.h"

#include "log.h"
#include "medium.h"
#include "undo.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAMAGED 64u /* sectors that a command may damage */

struct rule {
	/* when */
	int op, byte2; /* -1: any */
	uint64_t command, nth, wrote;
	uint32_t first, last;
	bool has_lba, reading, writing, has_wrote;
	/* do */
	struct sense sense;
	uint32_t not_ready, delay;
	bool has_sense, has_remove, has_button, has_power_loss, has_kill, has_open, has_damage;
	char *swap;
	uint64_t times;
	unsigned line;
};

struct rules {
	struct rule rule[RULES];
	unsigned count;
	uint64_t stamp;
	uint32_t damaged[DAMAGED]; /* when the command has been done */
	unsigned damaged_count;
	bool kill;
};

/* --- reading the file ---------------------------------------------------------- */

static bool number(const char *text, char end, const char **ret_rest, uint64_t *ret)
{
	char *rest;

	errno = 0;
	*ret = strtoull(text, &rest, 0);
	if (rest == text || errno != 0 || (*rest != end && *rest != '\0'))
		return false;
	*ret_rest = *rest == '\0' ? rest : rest + 1;
	return true;
}

static bool whole_number(const char *text, uint64_t *ret)
{
	const char *rest;

	return number(text, '\0', &rest, ret);
}

static bool take_op(struct rule *rule, const char *text)
{
	uint64_t op, byte2;
	const char *rest;

	if (!number(text, '/', &rest, &op) || op > 255)
		return false;
	rule->op = (int)op;
	if (*rest == '\0')
		return true;
	if (!whole_number(rest, &byte2) || byte2 > 255)
		return false;
	rule->byte2 = (int)byte2;
	return true;
}

static bool take_lba(struct rule *rule, const char *text)
{
	uint64_t first, last;
	const char *rest;

	if (!number(text, '.', &rest, &first))
		return false;
	last = first;
	if (*rest != '\0' && (*rest != '.' || !whole_number(rest + 1, &last)))
		return false;
	rule->has_lba = true;
	rule->first = (uint32_t)first;
	rule->last = (uint32_t)last;
	return first <= last && last <= UINT32_MAX;
}

static bool take_sense(struct rule *rule, const char *text)
{
	unsigned key, asc, ascq;
	char rest;

	if (sscanf(text, "%1x/%2x/%2x%c", &key, &asc, &ascq, &rest) != 3)
		return false;
	rule->sense.key = (uint8_t)key;
	rule->sense.asc = (uint8_t)asc;
	rule->sense.ascq = (uint8_t)ascq;
	return rule->has_sense = true;
}

static bool take_swap(struct rule *rule, const char *text)
{
	rule->swap = strdup(text);
	return rule->swap && *text;
}

#define TAKE_NUMBER(name, type, field)                                                                       \
	static bool take_##name(struct rule *rule, const char *text)                                         \
	{                                                                                                    \
		uint64_t value;                                                                              \
		if (!whole_number(text, &value))                                                             \
			return false;                                                                        \
		rule->field = (type)value;                                                                   \
		return true;                                                                                 \
	}
#define TAKE_WORD(name, field)                                                                               \
	static bool take_##name(struct rule *rule, const char *text)                                         \
	{                                                                                                    \
		return rule->field = true;                                                                   \
	}
TAKE_NUMBER(command, uint64_t, command)
TAKE_NUMBER(nth, uint64_t, nth)
TAKE_NUMBER(times, uint64_t, times)
TAKE_NUMBER(not_ready, uint32_t, not_ready)
TAKE_NUMBER(delay, uint32_t, delay)
TAKE_WORD(reading, reading)
TAKE_WORD(writing, writing)
TAKE_WORD(deferred, sense.deferred)
TAKE_WORD(remove, has_remove)
TAKE_WORD(button, has_button)
TAKE_WORD(power_loss, has_power_loss)
TAKE_WORD(kill, has_kill)
TAKE_WORD(open, has_open)
TAKE_WORD(damage, has_damage)

static bool take_wrote(struct rule *rule, const char *text)
{
	rule->has_wrote = true;
	return whole_number(text, &rule->wrote);
}

/* A name that ends with '=' has a value. */
static const struct word {
	const char *name;
	bool (*take)(struct rule *rule, const char *text);
} words[] = {
	{ "op=", take_op },
	{ "command=", take_command },
	{ "nth=", take_nth },
	{ "lba=", take_lba },
	{ "wrote=", take_wrote },
	{ "times=", take_times },
	{ "sense=", take_sense },
	{ "not-ready=", take_not_ready },
	{ "delay=", take_delay },
	{ "swap=", take_swap },
	{ "reading", take_reading },
	{ "writing", take_writing },
	{ "deferred", take_deferred },
	{ "remove", take_remove },
	{ "button", take_button },
	{ "power-loss", take_power_loss },
	{ "kill", take_kill },
	{ "open", take_open },
	{ "damage", take_damage },
};

static bool take_word(struct rule *rule, const char *text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i].name);
		bool has_value = words[i].name[length - 1] == '=';

		if (has_value ? strncmp(text, words[i].name, length) == 0 : strcmp(text, words[i].name) == 0)
			return words[i].take(rule, text + length);
	}
	return false;
}

static bool has_condition(const struct rule *rule)
{
	return rule->op >= 0 || rule->command || rule->nth || rule->has_lba || rule->has_wrote ||
	       rule->reading || rule->writing;
}

static bool has_action(const struct rule *rule)
{
	return rule->has_sense || rule->not_ready || rule->delay || rule->swap || rule->has_remove ||
	       rule->has_button || rule->has_power_loss || rule->has_kill || rule->has_open ||
	       rule->has_damage;
}

/* NULL, or what's wrong with the line; *ret_used: it has a rule. */
static const char *rule_parse(struct rule *rule, char *line, bool *ret_used)
{
	char *rest = NULL, *word;

	*rule = (struct rule){ .op = -1, .byte2 = -1, .times = 1 };
	*ret_used = false;
	line[strcspn(line, "#\n")] = '\0';
	for (word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		*ret_used = true;
		if (!take_word(rule, word))
			return word;
	}
	if (*ret_used && !has_condition(rule))
		return "it says no WHEN";
	if (*ret_used && !has_action(rule))
		return "it says nothing to DO";
	return NULL;
}

static const char *rules_read(FILE *file, struct rules *rules)
{
	static char said[300];
	char line[600];
	const char *wrong;
	bool used;

	for (unsigned at = 1; fgets(line, sizeof(line), file); at++) {
		struct rule rule;

		wrong = rule_parse(&rule, line, &used);
		rule.line = at;
		if (!wrong && used && rules->count == RULES)
			wrong = "too many rules";
		if (!wrong && used)
			rules->rule[rules->count++] = rule;
		else
			free(rule.swap);
		if (wrong) {
			snprintf(said, sizeof(said), "line %u: %.200s", at, wrong);
			return said;
		}
	}
	return NULL;
}

static void rules_empty(struct rules *rules)
{
	for (unsigned i = 0; i < rules->count; i++)
		free(rules->rule[i].swap);
	*rules = (struct rules){ .count = 0 };
}

const char *rules_check(const char *path)
{
	static struct rules rules;
	FILE *file = fopen(path, "re");
	const char *wrong;

	if (!file)
		return strerror(errno);
	wrong = rules_read(file, &rules);
	fclose(file);
	rules_empty(&rules);
	return wrong;
}

void rules_close(struct drive *drive)
{
	if (!drive->rules)
		return;
	rules_empty(drive->rules);
	free(drive->rules);
	drive->rules = NULL;
}

/* Another time or another file: 0 is none. */
static uint64_t file_stamp(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return 0;
	return ((uint64_t)status.st_mtim.tv_sec * 1000000000u + (uint64_t)status.st_mtim.tv_nsec) ^
	       (uint64_t)status.st_ino << 48 ^ (uint64_t)status.st_size << 40;
}

/* A new rule file begins with new counters, whichever process sees it first. */
static void rules_restart(struct drive_state *state, uint64_t stamp)
{
	memset(state->rules_used, 0, sizeof(state->rules_used));
	memset(state->rules_matched, 0, sizeof(state->rules_matched));
	state->rules_stamp = stamp;
	state->rules_commands = state->commands - 1;
	state->rules_written = state->blocks_written;
}

/* The rules of now; NULL where there are none. */
static struct rules *rules_load(struct drive *drive)
{
	char path[sizeof(drive->dir) + 8];
	const char *wrong;
	uint64_t stamp;
	FILE *file;

	snprintf(path, sizeof(path), "%s/rules", drive->dir);
	stamp = file_stamp(path);
	if (stamp != drive->state->rules_stamp)
		rules_restart(drive->state, stamp);
	if (stamp != 0 && drive->rules && drive->rules->stamp == stamp)
		return drive->rules;
	rules_close(drive);
	if (stamp == 0)
		return NULL;
	drive->rules = calloc(1, sizeof(*drive->rules));
	file = drive->rules ? fopen(path, "re") : NULL;
	if (!file)
		return NULL;
	wrong = rules_read(file, drive->rules);
	fclose(file);
	drive->rules->stamp = stamp;
	/* A test that goes on with half its rules proves nothing. */
	if (wrong) {
		fprintf(stderr, "mmcsim: %s: %s\n", path, wrong);
		abort();
	}
	return drive->rules;
}

/* --- when ---------------------------------------------------------------------- */

static bool is_sector_rule(const struct rule *rule)
{
	return rule->reading || rule->writing;
}

/* What can still change the command that brings the count about; all else happens right after that one. */
static bool is_after_rule(const struct rule *rule)
{
	return rule->has_wrote && !is_sector_rule(rule) && !rule->has_sense && !rule->not_ready;
}

static bool wrote_enough(const struct drive_state *state, const struct rule *rule)
{
	return !rule->has_wrote || state->blocks_written - state->rules_written >= rule->wrote;
}

static bool in_range(const struct rule *rule, const struct command *command)
{
	int64_t lba;
	uint32_t blocks;

	if (!rule->has_lba)
		return true;
	return log_range(command, &lba, &blocks) && lba <= rule->last && lba + blocks > rule->first;
}

static bool matches(const struct drive_state *state, const struct rule *rule, const struct command *command)
{
	if (rule->op >= 0 &&
	    (command->cdb[0] != rule->op || (rule->byte2 >= 0 && command->cdb[2] != rule->byte2)))
		return false;
	if (rule->command && state->commands - state->rules_commands != rule->command)
		return false;
	return wrote_enough(state, rule) && in_range(rule, command);
}

/* It matches: now nth= and times=. */
static bool fires(struct drive *drive, unsigned index)
{
	struct drive_state *state = drive->state;
	const struct rule *rule = &drive->rules->rule[index];

	if (rule->nth && ++state->rules_matched[index] < rule->nth)
		return false;
	if (rule->times && state->rules_used[index] >= rule->times)
		return false;
	state->rules_used[index]++;
	log_note(drive, "rule in line %u", rule->line);
	return true;
}

/* --- do ------------------------------------------------------------------------ */

/* An absolute time: the library shortens only others (interpose_sleep.c). */
static void wait_ms(uint32_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static void damage(struct drive *drive, uint32_t first, uint32_t last)
{
	struct medium *medium = &drive->medium;

	for (uint32_t lba = first; medium->state && lba <= last && lba < medium->state->capacity; lba++)
		medium->map[lba] = SECTOR_DAMAGED;
}

/* All but sense and damage. */
static void act(struct drive *drive, const struct rule *rule)
{
	if (rule->delay)
		wait_ms(rule->delay);
	if (rule->not_ready)
		drive->state->loading = rule->not_ready;
	if (rule->has_button)
		drive_press_button(drive);
	if (rule->has_open)
		drive_eject(drive);
	if (rule->has_remove)
		drive_remove(drive);
	if (rule->swap && drive_insert(drive, rule->swap) < 0) {
		fprintf(stderr, "mmcsim: line %u of the rules: can't insert %s\n", rule->line, rule->swap);
		abort();
	}
	if (rule->has_power_loss)
		drive_power_loss(drive);
	if (rule->has_kill)
		drive->rules->kill = true;
}

/* The lock passes to the next process, as the mutex is a robust one. */
static void kill_if_wanted(struct drive *drive)
{
	if (!drive->rules || !drive->rules->kill)
		return;
	undo_end(drive);
	kill(getpid(), SIGKILL);
}

bool rules_before(struct drive *drive, const struct command *command, struct sense *ret)
{
	struct rules *rules = rules_load(drive);
	bool failed = false;

	for (unsigned i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (is_sector_rule(rule) || is_after_rule(rule) || !matches(drive->state, rule, command) ||
		    !fires(drive, i))
			continue;
		act(drive, rule);
		if (rule->has_damage && rule->has_lba)
			damage(drive, rule->first, rule->last);
		if (rule->has_sense) {
			*ret = rule->sense;
			failed = true;
		}
	}
	kill_if_wanted(drive);
	return failed;
}

/* A sector that is being written gets its mark from whoever writes it, so the damage comes after that. */
static void damage_later(struct drive *drive, uint32_t lba)
{
	if (drive->rules->damaged_count < DAMAGED)
		drive->rules->damaged[drive->rules->damaged_count++] = lba;
}

bool rules_sector(struct drive *drive, uint32_t lba, bool writing, struct sense *ret)
{
	struct rules *rules = drive->rules;
	bool failed = false;

	for (unsigned i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (!(writing ? rule->writing : rule->reading) ||
		    (rule->has_lba && (lba < rule->first || lba > rule->last)) ||
		    !wrote_enough(drive->state, rule) || !fires(drive, i))
			continue;
		act(drive, rule);
		if (rule->has_damage)
			damage_later(drive, lba);
		if (rule->has_sense || (rule->has_damage && !writing)) {
			*ret = rule->has_sense ? rule->sense : SENSE(3, 0x11, 0x05);
			ret->lba = lba;
			ret->valid_lba = failed = true;
		}
	}
	return failed;
}

void rules_after(struct drive *drive, const struct command *command)
{
	struct rules *rules = drive->rules;

	for (unsigned i = 0; rules && i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (!is_after_rule(rule) || !matches(drive->state, rule, command) || !fires(drive, i))
			continue;
		act(drive, rule);
		if (rule->has_damage && rule->has_lba)
			damage(drive, rule->first, rule->last);
	}
	for (unsigned i = 0; rules && i < rules->damaged_count; i++)
		damage(drive, rules->damaged[i], rules->damaged[i]);
	if (rules)
		rules->damaged_count = 0;
	kill_if_wanted(drive);
}
