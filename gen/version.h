// SPDX-License-Identifier: Apache-2.0
// The version of the program, which generated files and manifests name.
#ifndef HW_VERSION_H
#define HW_VERSION_H

#define HW_VERSION "0.1.0"

#endif
