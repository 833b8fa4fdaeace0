/* SPDX-License-Identifier: Apache-2.0 */
/* report/dygraphs.c - the charting library, carried inside the program so that
 * a page needs no network. The build takes it from where Debian installs it. */
#include "report/tune_priv.h"

static const unsigned char js[] = {
#include "dygraphs_js.inc"
};

static const unsigned char css[] = {
#include "dygraphs_css.inc"
};

static const unsigned char licence[] = {
#include "dygraphs_licence.inc"
};

/* The build adds a 0 at the end of each. */
const struct bl__bytes bl__dygraphs_js = { js, sizeof(js) - 1 };
const struct bl__bytes bl__dygraphs_css = { css, sizeof(css) - 1 };
const struct bl__bytes bl__dygraphs_licence = { licence, sizeof(licence) - 1 };
