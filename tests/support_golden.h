/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support_golden.h - output as it was reviewed, in tests/golden/. */
#ifndef BL_TESTS_SUPPORT_GOLDEN_H
#define BL_TESTS_SUPPORT_GOLDEN_H

/* Fails unless @got is what the file at @path holds. With BL_UPDATE_GOLDEN set
 * in the environment it is written there first. */
void support_golden(const char *path, const char *got);

#endif /* BL_TESTS_SUPPORT_GOLDEN_H */
