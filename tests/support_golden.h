/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support_golden.h - output as it was reviewed, in tests/golden/; and the
 * layout that all text reports have. */
#ifndef BL_TESTS_SUPPORT_GOLDEN_H
#define BL_TESTS_SUPPORT_GOLDEN_H

/* Fails unless @got is what the file at @path holds. With BL_UPDATE_GOLDEN set
 * in the environment it is written there first. */
void support_golden(const char *path, const char *got);

/* Fails unless @text begins with the program's name, ends with a state hash,
 * has no line wider than BL_REPORT_COLUMNS and no figure that is none. */
void support_layout(const char *text);

#endif /* BL_TESTS_SUPPORT_GOLDEN_H */
