/* SPDX-License-Identifier: Apache-2.0 */
/* config/policy_file.c - a policy and its parameters in a file of their own:
 * what `ballast tune` writes and `ballast sim --policy-file` reads. */
#include "config/config_priv.h"

#include <string.h>

/* Address space: the file, its tree, the texts of the tree. */
#define ARENA_BYTES ((size_t)8 << 20)

bl_err bl__policy_file_read(struct bl_arena *a, const char *text, size_t size,
                            const char *label, struct bl_policy_choice *out,
                            struct bl_diag *diag)
{
    struct bl_policy_choice choice = { .file = label };
    struct bl__reader r = { .file = label, .diag = diag };
    const struct bl__node *root = NULL;

    BL_TRY(bl__yaml_read(a, text, size, label, &root, diag));
    BL_TRY(bl__read_map(&r, &bl__section_policy_file, root, &choice));
    choice.file = label;
    *out = choice;
    return BL_ERR_OK;
}

bl_err bl_policy_file_parse(const char *text, size_t size_bytes,
                            const char *label, struct bl_policy_choice *out,
                            struct bl_diag *diag)
{
    struct bl_arena a;
    bl_err e = bl_arena_init(&a, ARENA_BYTES);

    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, label, 0, "out of memory");
    e = bl__policy_file_read(&a, text, size_bytes, label, out, diag);
    bl_arena_free(&a);
    return e;
}

static bl_err load(struct bl_arena *a, const char *path, const char **text,
                   size_t *size, struct bl_diag *diag)
{
    char *room = bl_arena_get(a, (size_t)BL_SCENARIO_BYTES_MAX + 1, 1);

    if (room == NULL)
        return bl_diag_set(diag, BL_ERR_NOMEM, path, 0, "out of memory");
    *text = room;
    return bl__file_read(path, "a policy file", room, size, diag);
}

bl_err bl_policy_file_load(const char *path, struct bl_policy_choice *out,
                           struct bl_diag *diag)
{
    struct bl_arena a;
    const char *text = NULL;
    size_t size = 0;
    bl_err e = bl_arena_init(&a, ARENA_BYTES);

    if (e != BL_ERR_OK)
        return bl_diag_set(diag, e, path, 0, "out of memory");
    e = load(&a, path, &text, &size, diag);
    if (e == BL_ERR_OK)
        e = bl__policy_file_read(&a, text, size, path, out, diag);
    bl_arena_free(&a);
    return e;
}

bool bl_policy_file_is(const char *path)
{
    const struct bl__node *root = NULL;
    const char *text = NULL;
    struct bl_diag diag;
    struct bl_arena a;
    size_t size = 0;
    bool is = false;

    if (bl_arena_init(&a, ARENA_BYTES) != BL_ERR_OK)
        return false;
    if (load(&a, path, &text, &size, &diag) == BL_ERR_OK &&
        bl__yaml_read(&a, text, size, path, &root, &diag) == BL_ERR_OK)
        is = bl__node_get(root, "policy") != NULL &&
             bl__node_get(root, "hosts") == NULL &&
             bl__node_get(root, "vms") == NULL &&
             bl__node_get(root, "host") == NULL;
    bl_arena_free(&a);
    return is;
}
