/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"
#include "ctl/ctl.h"
#include "ctl/umount.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{ "drives", "[--watch] [--verbose] [--json]", "List the optical drives, and what is in them",
	  "A drive that another program has for itself, or whose disc is mounted, isn't\n"
	  "disturbed: what is told of it is known without asking it.\n\n"
	  "  -w, --watch            go on: a line whenever a drive appears or goes, or its\n"
	  "                         disc changes, until interrupted\n"
	  "  -v, --verbose          with the speeds\n"
	  "  -t, --timeout SECONDS  how long a drive may take to answer (100)\n"
	  "      --json             as an array; with --watch, an object a line\n",
	  command_drives },
	{ "create", "FILE --media NAME | --size SIZE [--force] [--json]",
	  "Make a blank image file that stands for a disc",
	  "  -m, --media NAME  the kind of disc: cd, dvd, dvd-dl, bd, bd-dl or bd-xl\n"
	  "  -s, --size SIZE   a disc of that capacity: 650M, 4.7GB, … (at least 1M)\n"
	  "      --force       replace a blank image that is there already\n"
	  "      --json        tell what was made as JSON\n",
	  command_create },
	{ "info", "[SOURCE|DIR] [--verbose] [--json]", "Tell what a disc or image is and holds",
	  "SOURCE is a drive or an image file; DIR is inside a mounted one (default: here).\n\n"
	  "  -v, --verbose  with the tracks of the disc, and the speeds of the drive\n"
	  "      --json     all of it, as JSON\n",
	  command_info },
	{ "status", "[DIR] [--exit-code] [--watch] [--json]", "Show what is staged, and what still fits",
	  "      --exit-code  exit with 4 when changes wait to be committed\n"
	  "  -w, --watch      go on until interrupted: drawn anew each second on a terminal, told\n"
	  "                   again elsewhere when something is different; with --json, an object\n"
	  "                   a line\n"
	  "      --json       everything there is to know, as JSON\n",
	  command_status },
	{ "diff", "[DIR] [--json]", "List the staged changes",
	  "One line a change: A added, M modified, D deleted, R renamed (old -> new), B boot image;\n"
	  "then I for each file that is incomplete, since a write to it was refused.\n"
	  "Control characters and backslashes in names are shown as \\ooo.\n\n"
	  "      --json  as an array of {\"change\", \"path\", \"old\"}\n",
	  command_diff },
	{ "commit", "[DIR] [--label NAME] [--finalize] [--dry-run] [--to FILE] [--quiet] [--json] …",
	  "Burn what is staged as a new session",
	  "Shows the progress and returns when the session is burned and verified.\n"
	  "Ctrl-C stops the showing only: the commit goes on.\n\n"
	  "  -l, --label NAME        the volume's new name (default: it keeps its name)\n"
	  "      --finalize          close the disc: nothing can be added any more\n"
	  "  -n, --dry-run           burn nothing: say how large the session would be, what goes in,\n"
	  "                          and what of it other systems won't show as it is\n"
	  "  -v, --verbose           with --dry-run: each of these; else the sectors, too\n"
	  "      --simulate          let the drive do all but switch on the laser, where the\n"
	  "                          medium has that; what is staged stays staged\n"
	  "      --speed N           8x, 2.4x, or kB/s (default: as fast as it goes)\n"
	  "      --stream-recording  on BD: faster, without the drive's checking\n"
	  "      --to FILE           write the session to a file, to be burned later by any\n"
	  "                          program; what is staged stays staged until the disc has it\n"
	  "      --force             FILE may be there already\n"
	  "      --damaged           also on a disc that could be read in part only (-o damaged):\n"
	  "                          what couldn't be read isn't in the new session\n"
	  "      --no-verify         don't read back what new files hold: only the tree is compared\n"
	  "      --no-wait           return as soon as the commit is accepted\n"
	  "  -q, --quiet             say only what went wrong\n"
	  "      --json              print the result as JSON, no progress\n",
	  command_commit },
	{ "finalize", "[DIR] [--label NAME] [--speed N] [--no-wait] [--json]",
	  "Close the disc: nothing can be added any more",
	  "What is staged is burned first, as commit --finalize does; it works with nothing\n"
	  "staged, too. Overwriteable media can't be closed.\n\n"
	  "  -l, --label NAME  the volume's new name (default: it keeps its name)\n"
	  "      --speed N     8x, 2.4x, or kB/s (default: as fast as it goes)\n"
	  "      --no-wait     return as soon as it is accepted\n"
	  "  -q, --quiet       say only what went wrong\n"
	  "      --json        print the result as JSON, no progress\n",
	  command_finalize },
	{ "wait", "[DIR] [--timeout SECONDS] [--quiet] [--json]", "Wait until no work is under way",
	  "Exits as the commit did that was waited for; with nothing under way, as the last\n"
	  "one did that this mount knows of, also when it was begun before the daemon died.\n\n"
	  "  -t, --timeout SECONDS  give up after that time, with exit code 5\n"
	  "  -q, --quiet            say only what went wrong\n"
	  "      --json             print the result as JSON, no progress\n",
	  command_wait },
	{ "cancel", "[DIR]", "End the commit that is under way",
	  "Everything stays staged. Before the first sector the disc is as it was; afterwards\n"
	  "what was begun is closed as the medium needs it: on write-once discs that takes room.\n",
	  command_cancel },
	{ "discard", "[PATH…] [--yes] [--json]", "Forget staged changes",
	  "Without a PATH it forgets all of them, in the disc that is mounted here.\n"
	  "With PATHs, these and what is below them are again as they are on the disc.\n\n"
	  "  -y, --yes   don't ask\n"
	  "      --json  say what was done as JSON\n",
	  command_discard },
	{ "restore", "SESSION [PATH…] [--yes] [--json]", "Stage what an older session has",
	  "With PATHs, these and what is below them are again as they were in that session;\n"
	  "without one the whole disc is, and what came later is staged as deleted. It costs\n"
	  "no data: what is staged points at what is recorded already. status and diff show\n"
	  "it, discard takes it back. SESSION is a number that log lists; to look at one, and\n"
	  "to copy out of it, see .discfs/sessions/ in the mounted disc.\n\n"
	  "  -y, --yes   don't ask, although other staged changes may be lost\n"
	  "      --json  say what was done as JSON\n",
	  command_restore },
	{ "boot", "[PATH] [--efi PATH] [--load-size N] [--info-table] [--none|--keep] [--json]",
	  "Tell what the disc boots, or attach a boot image",
	  "PATH is a file in the mounted disc, there already or staged: the next session starts\n"
	  "it on computers with a BIOS (El Torito, no emulation). Such an image is staged like any\n"
	  "change: status and diff show it, discard and --keep take it back. What the disc has\n"
	  "for other computers is kept. The image follows its file: rename it, write to it, or\n"
	  "put another in its place. Without PATH it tells what the disc boots, and what the\n"
	  "next session will; or what the mounted disc DIR does, where PATH is one.\n\n"
	  "      --efi PATH     the image for UEFI: a FAT file system in a file\n"
	  "      --load-size N  how many blocks of 512 bytes the BIOS loads (4; of an image for\n"
	  "                     UEFI: all)\n"
	  "      --info-table   PATH wants a boot information table, as ISOLINUX and GRUB do: 56\n"
	  "                     bytes at its begin are another thing once it's burned\n"
	  "      --none         the next session boots nothing\n"
	  "      --keep         the next session boots what the disc does now\n"
	  "      --json         as JSON\n",
	  command_boot },
	{ "verify", "[--all] [SOURCE|DIR] [--json]", "Check a whole disc against the sums recorded on it",
	  "Reads the newest session's tree and the content of every file, and compares them\n"
	  "with the sums on the disc; what discfs wrote of UDF has some, too. What has none is\n"
	  "read to see whether it can be, and where the disc is mounted, its sum is kept, and\n"
	  "compared the next time.\n"
	  "Damaged files are listed with what is wrong, and the exit code is 21 then. It\n"
	  "only reads; what is staged isn't looked at. Ctrl-C ends it. SOURCE is a drive or\n"
	  "an image file, DIR is inside a mounted one (default: here, or the only drive).\n\n"
	  "  -a, --all   every session on the disc; what they have in common is read once\n"
	  "      --json  what was found as an object, no progress\n",
	  command_verify },
	{ "log", "[SOURCE|DIR] [--stat] [--all] [--json]", "List the sessions on the disc, newest first",
	  "With what each of them changed, as far as that's known: of sessions that were\n"
	  "burned by discfs, while the disc is mounted. SOURCE is a drive or an image file,\n"
	  "DIR is inside a mounted one (default: here, or the only drive).\n\n"
	  "  -s, --stat  find out what isn't known, by reading the sessions' trees; the disc\n"
	  "              must be mounted\n"
	  "  -a, --all   with the commits that failed, and why\n"
	  "      --json  as an array, oldest first\n",
	  command_log },
	{ "map", "[SOURCE|DIR] [--json]", "Draw what lies where on the disc",
	  "A bar as wide as the terminal: the sessions, what is staged and what is free, in\n"
	  "their true proportion. The same as a picture is .discfs/map.svg in a mounted disc.\n"
	  "SOURCE is a drive or an image file, DIR is inside a mounted one (default: here, or\n"
	  "the only drive).\n\n"
	  "      --json  the parts with their sectors\n",
	  command_map },
	{ "find", "PATTERN… [--size N] [--newer DATE] [--disc DISC] [--json] …",
	  "Tell which disc holds a file, also of those on the shelf",
	  "Every disc that was ever mounted is looked through, as its newest session and what\n"
	  "is staged have it. PATTERN is for names: '*.jpg', 'img_00??.jp*g'; with a slash in\n"
	  "it for whole paths: '2024/*/*.jpg', where * also stands for slashes.\n\n"
	  "  -r, --regex        PATTERN is a regular expression, which matches anywhere in the\n"
	  "                     name (or path)\n"
	  "  -i, --ignore-case  upper and lower case are the same\n"
	  "  -t, --type TYPES   f: files, d: directories, l: symbolic links\n"
	  "  -s, --size N       files of more (+10M) or less (-1k) than that, or of just N bytes\n"
	  "      --newer DATE   changed at that date or later (2024, 2024-12-31, 2024-12-31T18:00)\n"
	  "      --older DATE   changed before it\n"
	  "      --staged       what is staged only\n"
	  "  -d, --disc DISC    on that one only: the beginning of its id, or its label\n"
	  "  -n, --limit N      no more than N\n"
	  "      --state DIR    as discfs -o state=DIR\n"
	  "  -0, --print0       for scripts: ID/PATH and a zero byte, names as they are\n"
	  "      --json         as an array\n",
	  command_find },
	{ "catalog", "[list | show DISC | forget DISC] [--force] [--json]",
	  "List the discs that were ever mounted",
	  "DISC is the beginning of an id, or a label. A disc on the shelf can be mounted to\n"
	  "look at its names and to stage work for it: discfs --offline DISC DIR\n\n"
	  "  list         what they are, how much is staged for them, when and where they were\n"
	  "               seen last\n"
	  "  show DISC    one of them, with its sessions\n"
	  "  forget DISC  remove what is known of it; the disc itself stays as it is. Refused\n"
	  "               while work is staged for it (exit code 4) or it's mounted (14)\n\n"
	  "      --force      forget it with the work that is staged\n"
	  "      --state DIR  as discfs -o state=DIR\n"
	  "      --json       as JSON\n",
	  command_catalog },
	{ "umount", "[DIR] [--force] [--quiet]", "Unmount, and wait until all is safe",
	  "A disc mounted with -o commit=unmount is committed first; when that fails, it\n"
	  "stays mounted and nothing is lost.\n\n"
	  "      --force  also where staged work is lost by it, since its state directory was\n"
	  "               removed under the mount\n"
	  "  -q, --quiet  say only what went wrong\n",
	  command_umount },
	{ "eject", "[DRIVE|DIR] [--force] [--json]", "Open the tray, after unmounting",
	  "A disc that you have mounted is unmounted first, as umount does it. While a commit\n"
	  "is under way, it's refused; so it is, unless forced, where somebody else has it\n"
	  "mounted, and where DRIVE was named and work is staged that isn't burned. The\n"
	  "default is the disc that is mounted here, or the only drive that there is.\n\n"
	  "      --force  unmount it all the same: what is staged stays staged\n"
	  "      --json   say what was done as JSON, no progress\n",
	  command_eject },
	{ "load", "[DRIVE] [--json]", "Close the tray, and tell what is in it",
	  "Some drives, those of laptops among them, can't.\n\n"
	  "      --json  as JSON\n",
	  command_load },
	{ "blank", "DRIVE|FILE [--full] [--yes] [--json]", "Erase what is on a rewritable disc",
	  "Afterwards it can be written anew, session by session. Without --full, only that\n"
	  "by which programs find what is recorded is overwritten: it takes seconds to\n"
	  "minutes, and who wants to can still find out what was there.\n\n"
	  "CD-RW is blanked. DVD-RW that was blanked quickly takes one session only, so it\n"
	  "is formatted as an overwriteable disc instead; with --full it is blanked whole\n"
	  "and takes sessions like a DVD-R. Of DVD+RW, DVD-RAM and BD-RE the head is\n"
	  "overwritten with zeroes, and with --full everything. An image file that create\n"
	  "made is as new again.\n\n"
	  "      --full  overwrite everything; may take hours\n"
	  "  -y, --yes   don't ask\n"
	  "      --json  print the result as JSON, no progress\n",
	  command_blank },
	{ "format", "DRIVE [--full] [--spare|--no-spare] [--yes] [--json]",
	  "Format a rewritable or Blu-ray disc",
	  "DVD-RW becomes an overwriteable disc. DVD+RW, DVD-RAM and BD-RE are formatted\n"
	  "anew, and are blank then. A blank BD-R gets a spare area for blocks that turn\n"
	  "out bad; it can have that once, and before its first session. CD-RW needs no\n"
	  "formatting: blank it.\n\n"
	  "      --full      with certification, or every sector; may take hours\n"
	  "      --spare     with a spare area (DVD-RAM, BD)\n"
	  "      --no-spare  without one\n"
	  "  -y, --yes       don't ask\n"
	  "      --json      print the result as JSON, no progress\n",
	  command_format },
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const char exit_code_help[] =
    "Exit codes: 0 done, 1 usage, 2 system error, 3 no discfs there, 4 changes pending\n"
    "(status --exit-code), 5 timed out, 10 no medium, 11 wrong disc, 12 not appendable,\n"
    "13 doesn't fit, 14 drive busy, 20 burn failed, 21 verify failed, 22 cancelled,\n"
    "130 interrupted while watching.\n"
    "What was staged stays staged whenever a commit fails.\n";

static int help_all(FILE *out)
{
	fputs("Usage: discfsctl COMMAND [ARGUMENT…]\n\n"
	      "Controls discs that discfs has mounted. DIR is the mount point or any directory\n"
	      "below it; the default is the current one.\n\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].summary);
	fprintf(out,
		"\n  discfsctl COMMAND --help   more about one command\n"
		"  discfsctl --version        the version\n\n%s",
		exit_code_help);
	return out == stdout ? EXIT_CODE_DONE : EXIT_CODE_USAGE;
}

static int help_command(const struct command *command)
{
	printf("Usage: discfsctl %s %s\n%s.\n\n%s\n%s", command->name, command->arguments, command->summary,
	       command->help, exit_code_help);
	return EXIT_CODE_DONE;
}

/* For completion. */
static int list_commands(void)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("%s\t%s\n", commands[i].name, commands[i].summary);
	return EXIT_CODE_DONE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* What other programs call it. */
static const struct {
	const char *name, *advice;
} others[] = {
	{ "mount", "discfs mounts: discfs SOURCE MOUNTPOINT" },
	{ "burn", "commit burns what is staged" },
	{ "undo", "discard forgets what is staged" },
	{ "sessions", "log lists the sessions" },
};

static int unknown_command(const char *name)
{
	const struct command *nearest = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(name, others[i].name) == 0)
			return ctl_fail(EXIT_CODE_USAGE, "there is no command '%s': %s", name,
					others[i].advice);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		unsigned distance = ctl_distance(name, commands[i].name);

		if (strncmp(name, commands[i].name, strlen(name)) == 0)
			distance = 1;
		if (distance < least) {
			least = distance;
			nearest = &commands[i];
		}
	}
	if (nearest)
		return ctl_fail(EXIT_CODE_USAGE, "there is no command '%s'; did you mean '%s'?", name,
				nearest->name);
	return ctl_fail(EXIT_CODE_USAGE, "there is no command '%s'; discfsctl --help lists them", name);
}

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_one_of(argv[i], "--help", "-h"))
			return true;
	return false;
}

static int help(int argc, char **argv)
{
	const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;

	if (command)
		return help_command(command);
	return argc > 2 ? unknown_command(argv[2]) : help_all(stdout);
}

static int show_version(void)
{
	printf("discfsctl %s\n", DISCFS_VERSION);
	return EXIT_CODE_DONE;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command = find_command(argv[1]);

	if (strcmp(argv[1], "--list-commands") == 0)
		return list_commands();
	if (is_one_of(argv[1], "--version", "-V"))
		return show_version();
	if (is_one_of(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0)
		return help(argc, argv);
	if (!command)
		return unknown_command(argv[1]);
	if (wants_help(argc - 1, argv + 1))
		return help_command(command);
	return command->run(argc - 1, argv + 1);
}

/* umount(8) looks for a program of that name: it's a link to this one. */
static bool is_umount_helper(const char *name)
{
	static const char beginning[] = "umount.";
	const char *slash = strrchr(name, '/');

	return strncmp(slash ? slash + 1 : name, beginning, sizeof beginning - 1) == 0;
}

int main(int argc, char **argv)
{
	int code;

	if (fd_keep_standard() < 0)
		return EXIT_CODE_SYSTEM;
	if (argc && is_umount_helper(argv[0]))
		return umount_helper(argc, argv);
	if (argc < 2)
		return help_all(stderr);
	code = dispatch(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && !code)
		return ctl_fail(EXIT_CODE_SYSTEM, "can't write the answer: %m");
	return code;
}
