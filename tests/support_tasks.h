/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support_tasks.h - what every reader of tasks does with bad files. */
#ifndef BL_TESTS_SUPPORT_TASKS_H
#define BL_TESTS_SUPPORT_TASKS_H

#include "trace/tasks.h"

/* Makes an arena of its own at @a and reads the file into it. */
typedef bl_err (*support_read_fn)(const char *path, struct bl_arena *a,
                                  struct bl_task_set *s, struct bl_diag *diag);

/* Fails unless a file of @text is refused as BL_ERR_PARSE at @line (0: the file
 * as a whole) with @why and what was expected, nothing written and no memory
 * kept. */
void support_refused(support_read_fn read, const char *text, unsigned line,
                     const char *why);

#endif /* BL_TESTS_SUPPORT_TASKS_H */
