/* SPDX-License-Identifier: Apache-2.0 */
/* report/tune_priv.h - what the writers of a tune report share. */
#ifndef BL_REPORT_TUNE_PRIV_H
#define BL_REPORT_TUNE_PRIV_H

#include "report/json_priv.h"
#include "report/tune_report.h"

/* Only what is varied: "safety=1.2 select=mmt"; cut when it does not fit. The
 * baseline is "POLICY as it is". */
void bl__tune_point(const struct bl_tune_report *t, uint32_t row, char *buf,
                    size_t size);

/* Everything about the search, as one object: identity, traces, objectives,
 * the rows. NULL: out of memory. */
json_t *bl__tune_object(const struct bl_tune_report *t);

/* dygraphs, as Debian ships it, and its licence (dygraphs.c). */
struct bl__bytes {
    const unsigned char *at;
    size_t size;
};
extern const struct bl__bytes bl__dygraphs_js, bl__dygraphs_css,
    bl__dygraphs_licence;

#endif /* BL_REPORT_TUNE_PRIV_H */
