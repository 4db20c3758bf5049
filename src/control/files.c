/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/files.h"

const struct control_file control_files[] = {
	{ "control", NULL, control_run },
	{ "status", control_status_text, NULL },
	{ "status.json", control_status_json, NULL },
	{ "changes", control_changes_text, NULL },
	{ "changes.json", control_changes_json, NULL },
	{ "boot", control_boot_text, NULL },
	{ "boot.json", control_boot_json, NULL },
	{ "log.json", control_log, NULL },
	{ "log-stat.json", control_log_stat, NULL },
	{ "sums", control_sums, control_keep_sums },
	{ "map.svg", control_map_svg, NULL },
	{ "map.json", control_map_json, NULL },
	{ "trial", control_trial_text, NULL },
	{ "trial.json", control_trial_json, NULL },
	{ NULL, NULL, NULL },
};
