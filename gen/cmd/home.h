// SPDX-License-Identifier: Apache-2.0
// Where sim/ and rtl_templates/ lie.
#ifndef HW_HOME_H
#define HW_HOME_H

// The directory that holds both: two above this program's file, or what HARDWIRE_HOME says.
const char *hw_home(void);

#endif
