# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks, a module for each theme; all of them are loaded."""
