/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done, in an SQLite file: `about` says what all its runs have in
 * common, `run` has a row for each finished run.
 *
 * A row is committed before the thread that made it takes the next run. The
 * journal is write-ahead with synchronous = NORMAL: a killed process loses
 * nothing that was committed, a machine that loses power perhaps the last rows,
 * and never the file. One process at a time: the lock is exclusive, and the
 * kernel takes it away with the process.
 */
#include "cli/tune_priv.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "ballast-tune-db-1"

enum { HASH_BYTES = 17 };

struct bl_tune_db {
    sqlite3 *sql;
    sqlite3_stmt *find, *put;
    const char *path; /* the caller's */
    const char *version;
    char scenario[HASH_BYTES];
};

static bl_err cannot(const struct bl_tune_db *db, const char *what,
                     struct bl_diag *diag)
{
    const int code = sqlite3_errcode(db->sql);

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        return bl_diag_set(diag, BL_ERR_BUSY, db->path, 0,
                           "is in use by another ballast tune, expected one "
                           "at a time; name another directory with --out");
    return bl_diag_set(diag, code == SQLITE_NOMEM ? BL_ERR_NOMEM : BL_ERR_IO,
                       db->path, 0, "cannot be %s: %s", what,
                       sqlite3_errmsg(db->sql));
}

static void print_hash(uint64_t hash, char out[HASH_BYTES])
{
    snprintf(out, HASH_BYTES, "%016llx", (unsigned long long)hash);
}

/* "" for NULL: somebody else's hands were in the file. */
static const char *text_of(sqlite3_stmt *st, int column)
{
    const unsigned char *text = sqlite3_column_text(st, column);

    return text != NULL ? (const char *)text : "";
}

/* ---- what the file is about --------------------------------------------- */

static bl_err about(struct bl_tune_db *db, const char *key, char *buf,
                    size_t size, struct bl_diag *diag)
{
    sqlite3_stmt *st = NULL;
    bl_err e = BL_ERR_OK;

    buf[0] = '\0';
    if (sqlite3_prepare_v2(db->sql, "SELECT value FROM about WHERE key = ?", -1,
                           &st, NULL) != SQLITE_OK)
        return cannot(db, "read", diag);
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        snprintf(buf, size, "%s", text_of(st, 0));
        break;
    case SQLITE_DONE:
        break;
    default:
        e = cannot(db, "read", diag);
    }
    sqlite3_finalize(st);
    return e;
}

static bl_err set_about(struct bl_tune_db *db, const char *key,
                        const char *value, struct bl_diag *diag)
{
    sqlite3_stmt *st = NULL;
    bl_err e = BL_ERR_OK;

    if (sqlite3_prepare_v2(db->sql, "INSERT INTO about VALUES (?, ?)", -1, &st,
                           NULL) != SQLITE_OK)
        return cannot(db, "written", diag);
    sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, value, -1, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE)
        e = cannot(db, "written", diag);
    sqlite3_finalize(st);
    return e;
}

static bl_err check_about(struct bl_tune_db *db, struct bl_diag *diag)
{
    char format[64], scenario[64], version[64];

    BL_TRY(about(db, "format", format, sizeof(format), diag));
    BL_TRY(about(db, "scenario", scenario, sizeof(scenario), diag));
    BL_TRY(about(db, "version", version, sizeof(version), diag));
    if (format[0] == '\0' && scenario[0] == '\0') {
        BL_TRY(set_about(db, "format", FORMAT, diag));
        BL_TRY(set_about(db, "scenario", db->scenario, diag));
        return set_about(db, "version", db->version, diag);
    }
    if (strcmp(format, FORMAT) != 0)
        return bl_diag_set(diag, BL_ERR_INVAL, db->path, 0,
                           "is of format '%s', expected %s; name another "
                           "directory with --out",
                           format, FORMAT);
    if (strcmp(scenario, db->scenario) != 0)
        return bl_diag_set(diag, BL_ERR_INVAL, db->path, 0,
                           "holds runs of another scenario (%s), expected %s; "
                           "name another directory with --out",
                           scenario, db->scenario);
    if (strcmp(version, db->version) != 0)
        return bl_diag_set(diag, BL_ERR_INVAL, db->path, 0,
                           "holds runs of ballast %s, expected %s; name "
                           "another directory with --out",
                           version, db->version);
    return BL_ERR_OK;
}

/* ---- opening ------------------------------------------------------------ */

/* All columns of the identity are in each row, so that rows can be told apart
 * in whatever they are copied into. */
static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = NORMAL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT);"
    "CREATE TABLE IF NOT EXISTS run ("
    " scenario TEXT NOT NULL, version TEXT NOT NULL, trace TEXT NOT NULL,"
    " physics TEXT NOT NULL, seed INTEGER NOT NULL, policy TEXT NOT NULL,"
    " params TEXT NOT NULL, steps INTEGER NOT NULL,"
    " energy_kwh REAL, slav REAL, unserved_ppm REAL, demand_mcycles REAL,"
    " migrations INTEGER, transitions INTEGER, state_hash TEXT,"
    " PRIMARY KEY (scenario, version, trace, physics, seed, policy, params,"
    "              steps)) WITHOUT ROWID;";

static const char find_text[] =
    "SELECT energy_kwh, slav, unserved_ppm, demand_mcycles, migrations,"
    " transitions, state_hash FROM run WHERE scenario = ? AND version = ? AND"
    " trace = ? AND physics = ? AND seed = ? AND policy = ? AND params = ? AND"
    " steps = ?";

static const char put_text[] =
    "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
    " ?, ?)";

static bl_err open_all(struct bl_tune_db *db, struct bl_diag *diag)
{
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(db->path, &db->sql, flags, NULL) != SQLITE_OK)
        return cannot(db, "opened", diag);
    if (sqlite3_exec(db->sql, schema, NULL, NULL, NULL) != SQLITE_OK)
        return cannot(db, "used", diag);
    BL_TRY(check_about(db, diag));
    if (sqlite3_exec(db->sql, "COMMIT", NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db->sql, find_text, -1, &db->find, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(db->sql, put_text, -1, &db->put, NULL) != SQLITE_OK)
        return cannot(db, "used", diag);
    return BL_ERR_OK;
}

bl_err bl_tune_db_open(const char *path, uint64_t scenario_hash,
                       const char *version, struct bl_tune_db **out,
                       struct bl_diag *diag)
{
    struct bl_tune_db *db = calloc(1, sizeof(*db));
    bl_err e;

    if (db == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    db->path = path;
    db->version = version;
    print_hash(scenario_hash, db->scenario);
    e = open_all(db, diag);
    if (e != BL_ERR_OK) {
        bl_tune_db_close(db);
        return e;
    }
    *out = db;
    return BL_ERR_OK;
}

void bl_tune_db_close(struct bl_tune_db *db)
{
    if (db == NULL)
        return;
    sqlite3_finalize(db->find);
    sqlite3_finalize(db->put);
    sqlite3_close(db->sql);
    free(db);
}

/* ---- rows --------------------------------------------------------------- */

enum { KEY_COLUMNS = 8 };

static void bind_key(const struct bl_tune_db *db, sqlite3_stmt *st,
                     const struct bl_tune_key *key, char trace[HASH_BYTES])
{
    print_hash(key->trace_hash, trace);
    sqlite3_bind_text(st, 1, db->scenario, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, db->version, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 3, trace, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 4, key->physics, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 5, (sqlite3_int64)key->seed);
    sqlite3_bind_text(st, 6, key->policy, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 7, key->params, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, KEY_COLUMNS, key->steps);
}

/* NULL, as SQLite keeps NAN, comes back as NAN. */
static double real_of(sqlite3_stmt *st, int column)
{
    return sqlite3_column_type(st, column) == SQLITE_NULL
               ? (double)NAN
               : sqlite3_column_double(st, column);
}

bl_err bl_tune_db_find(struct bl_tune_db *db, const struct bl_tune_key *key,
                       struct bl_tune_figures *out, struct bl_diag *diag)
{
    sqlite3_stmt *st = db->find;
    char trace[HASH_BYTES];
    bl_err e = BL_ERR_OK;

    bind_key(db, st, key, trace);
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        *out = (struct bl_tune_figures){
            .energy_kwh = real_of(st, 0),
            .slav = real_of(st, 1),
            .unserved_ppm = real_of(st, 2),
            .demand_mcycles = real_of(st, 3),
            .migrations = (uint64_t)sqlite3_column_int64(st, 4),
            .transitions = (uint64_t)sqlite3_column_int64(st, 5),
            .state_hash = strtoull(text_of(st, 6), NULL, 16),
        };
        break;
    case SQLITE_DONE:
        e = BL_ERR_NOENT;
        break;
    default:
        e = cannot(db, "read", diag);
    }
    sqlite3_reset(st);
    return e;
}

bl_err bl_tune_db_put(struct bl_tune_db *db, const struct bl_tune_key *key,
                      const struct bl_tune_figures *f, struct bl_diag *diag)
{
    sqlite3_stmt *st = db->put;
    char trace[HASH_BYTES], hash[HASH_BYTES];
    bl_err e = BL_ERR_OK;

    bind_key(db, st, key, trace);
    print_hash(f->state_hash, hash);
    sqlite3_bind_double(st, KEY_COLUMNS + 1, f->energy_kwh);
    sqlite3_bind_double(st, KEY_COLUMNS + 2, f->slav);
    sqlite3_bind_double(st, KEY_COLUMNS + 3, f->unserved_ppm);
    sqlite3_bind_double(st, KEY_COLUMNS + 4, f->demand_mcycles);
    sqlite3_bind_int64(st, KEY_COLUMNS + 5, (sqlite3_int64)f->migrations);
    sqlite3_bind_int64(st, KEY_COLUMNS + 6, (sqlite3_int64)f->transitions);
    sqlite3_bind_text(st, KEY_COLUMNS + 7, hash, -1, SQLITE_STATIC);
    if (sqlite3_step(st) != SQLITE_DONE)
        e = cannot(db, "written", diag);
    sqlite3_reset(st);
    return e;
}
