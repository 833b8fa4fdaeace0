/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_policy_file - any bytes: one line of why not, or a policy whose
 * parameters are texts that fit, the same the second time. */
#include "config/scenario.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct bl_policy_choice first = { .line = 7 }, second = { .line = 7 };
    struct bl_diag diag = { "" }, again = { "" };
    const bl_err e = bl_policy_file_parse(text, size, "p.yaml", &first, &diag);

    BL_ASSERT(bl_policy_file_parse(text, size, "p.yaml", &second, &again) == e);
    BL_ASSERT(strcmp(diag.text, again.text) == 0);
    if (e != BL_ERR_OK) {
        BL_ASSERT(e == BL_ERR_PARSE || e == BL_ERR_INVAL);
        BL_ASSERT(strncmp(diag.text, "p.yaml", 6) == 0);
        BL_ASSERT(first.line == 7 && first.param_count == 0); /* untouched */
        return 0;
    }
    BL_ASSERT(first.line > 0 && first.param_count <= BL_PARAMS_MAX);
    BL_ASSERT(memchr(first.name, '\0', sizeof(first.name)) != NULL);
    BL_ASSERT(strcmp(first.name, second.name) == 0);
    for (uint32_t i = 0; i < first.param_count; i++) {
        BL_ASSERT(memchr(first.param[i].name, '\0', BL_NAME_BYTES) != NULL);
        BL_ASSERT(memchr(first.param[i].text, '\0', BL_NAME_BYTES) != NULL);
        BL_ASSERT(strcmp(first.param[i].text, second.param[i].text) == 0);
        BL_ASSERT(first.param[i].line > 0);
    }
    return 0;
}
