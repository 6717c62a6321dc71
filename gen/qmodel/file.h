// SPDX-License-Identifier: Apache-2.0
// Quantized models on disk: a safetensors file whose __metadata__ holds the scalars.
#ifndef HW_QMODEL_FILE_H
#define HW_QMODEL_FILE_H

#include "gen/qmodel/memory.h"

// Writes by the rules of gen/output.h. Reads with every count, range and size checked:
// `map` leaves the codes in the file and makes no weights, which is enough to plan and emit; `read`
// makes a model that can run.
bool hw_qmodel_write(const struct hw_qmodel *q, const char *path, struct hw_error *err);
bool hw_qmodel_map(struct hw_qmodel *q, const char *path, struct hw_error *err);
bool hw_qmodel_read(struct hw_qmodel *q, const char *path, struct hw_error *err);

#endif
