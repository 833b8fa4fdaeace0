/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report/json_priv.h - writing a JSON document member by member.
 *
 * Values are jansson's; every function that takes a json_t takes over its
 * reference, NULL included (jansson's way to say that memory ran out): the
 * document is then marked as failed and bl__json_end() says so.
 */
#ifndef BL_REPORT_JSON_PRIV_H
#define BL_REPORT_JSON_PRIV_H

#include "report/report.h"

#include <jansson.h>

#define BL_JSON_TEXT_BYTES 4352 /* a path and more; longer texts are cut */

struct bl_json {
    FILE *f;
    uint64_t rows; /* of the array that is open */
    bool failed;   /* out of memory */
};

json_t *bl__json_real(double x); /* null unless finite */
json_t *bl__json_count(uint64_t n);
json_t *bl__json_hash(uint64_t h); /* "0123456789abcdef" */
json_t *bl__json_text(const char *s);

void bl__json_begin(struct bl_json *j, FILE *f, const char *format);
BL_NODISCARD bl_err bl__json_end(struct bl_json *j);

void bl__json_set(struct bl_json *j, json_t *object, const char *key,
                  json_t *value);

/* A member of the document; an object has a line for each of its own. */
void bl__json_member(struct bl_json *j, const char *key, json_t *value);

/* A member that is an array with a line for each element. */
void bl__json_open_rows(struct bl_json *j, const char *key);
void bl__json_row(struct bl_json *j, json_t *value);
void bl__json_close_rows(struct bl_json *j);

json_t *bl__json_identity(struct bl_json *j, const struct bl_identity *id);
json_t *bl__json_summary(struct bl_json *j, const struct bl_result *r);

#endif /* BL_REPORT_JSON_PRIV_H */
