/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PlanetLab days as the CloudSim community passes them on: a folder or archive
 * with one file for each VM; each line is one integer 0 .. 100, the mean CPU
 * utilisation in percent over 300 s. All files have the same number of lines.
 *
 * Source     Park and Pai, "CoMon: a mostly-scalable monitoring system for
 *            PlanetLab", OSR 40(1), 2006; Beloglazov and Buyya, "Optimal online
 *            deterministic algorithms ...", CCPE 24(13), 2012.
 * VMs        in the byte order of their file names: slot == that order.
 * Sizes      none in the data; no memory column.
 * Repairs    none: anything but such an integer is refused.
 */
#include "trace/trace_priv.h"

enum { CPU_PCT_MAX = 100, PPM_PER_PCT = 10000, LINE_BYTES_MIN = 2 };

static bool planetlab_detect(const struct bl__input *in, struct bl__text head)
{
    const struct bl__text line = bl__cut(&head, '\n');
    uint64_t v;

    return bl__input_kind(in) != BL__INPUT_STREAM && line.size_bytes <= 3 &&
           bl__parse_u64(line, CPU_PCT_MAX, &v);
}

/* One line at @*p, which moves behind it. false: not 0 .. 100 and a newline
 * (or the end of the file). */
static bool parse_line(const char **p, const char *end, uint32_t *ppm)
{
    const char *q = *p;
    uint32_t v = 0;
    int digits = 0;

    while (q < end && *q >= '0' && *q <= '9' && digits < 4) {
        v = v * 10 + (uint32_t)(*q++ - '0');
        digits++;
    }
    if (digits == 0 || digits > 3 || v > CPU_PCT_MAX)
        return false;
    if (q < end && *q++ != '\n')
        return false;
    *p = q;
    *ppm = v * PPM_PER_PCT;
    return true;
}

/* The same for one or two digits and a newline, three readable bytes at @*p,
 * which is nearly always so. Whether it is one digit or two no branch
 * predictor can tell, so it is arithmetic here: half the time of the above. */
static bool parse_short(const char **p, uint32_t *ppm)
{
    const unsigned char *q = (const unsigned char *)*p;
    const uint32_t one = q[1] == '\n';
    const uint32_t first = q[0] - (uint32_t)'0', second = q[1] - (uint32_t)'0';

    if ((first > 9) | ((one == 0) & ((second > 9) | (q[2] != '\n'))))
        return false;
    *ppm = (first * (10 - 9 * one) + (second & (one - 1))) * PPM_PER_PCT;
    *p += 3 - one;
    return true;
}

static bl_err parse_vm(const struct bl__input *in, struct bl__member *v,
                       struct bl_diag *diag)
{
    const char *p = v->body.p, *end = p + v->body.size_bytes;
    uint32_t *cell = v->cell[BL__CPU];
    uint32_t n = 0;

    for (; p < end; n++) {
        struct bl__text rest = { p, (size_t)(end - p) };

        if (n == v->step_max)
            return bl__members_full(in, diag);
        if (end - p >= 3 && parse_short(&p, &cell[n]))
            continue;
        if (!parse_line(&p, end, &cell[n]))
            return bl_diag_set(
                diag, BL_ERR_PARSE, bl__input_label(in), n + 1,
                "'%s' is not a CPU percentage, expected an "
                "integer 0..100",
                bl__quote(&(struct bl__quote){ "" }, bl__cut(&rest, '\n')));
    }
    v->step_count = n;
    return BL_ERR_OK;
}

static bl_err planetlab_read(struct bl__input *in,
                             const struct bl_trace_opts *opts,
                             struct bl_trace **out, struct bl_diag *diag)
{
    static const struct bl__members what = {
        .format = &bl__format_planetlab,
        .line_bytes_min = LINE_BYTES_MIN,
        .parse = parse_vm,
    };

    return bl__members_read(in, &what, opts, out, diag);
}

const struct bl__format bl__format_planetlab = {
    .name = "planetlab",
    .text = "folder or archive: a file for each VM, CPU percent on each line",
    .detect = planetlab_detect,
    .read = planetlab_read,
};
