// SPDX-License-Identifier: Apache-2.0
// Where sim/, gen/ and rtl_templates/ lie: in the directory two above this program's file, or the
// one that HARDWIRE_HOME says.
#ifndef HW_HOME_H
#define HW_HOME_H

#include "gen/error.h"

enum { HW_HOME_PATH = 4200 };

// That directory with "/" and `below` behind it. An error: the path is too long.
bool hw_home_path(char path[HW_HOME_PATH], const char *below, struct hw_error *err);

#endif
