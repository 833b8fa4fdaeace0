/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google cluster data as HiPro-IT passes it on (GCD): a folder or archive with
 * one file for each VM; each line is "CPU% MEM%", decimal numbers, the means
 * over 300 s. All files have the same number of lines.
 *
 * Source     Reiss, Wilkes, Hellerstein, "Google cluster-usage traces: format
 *            + schema", 2011; the VM files of HiPro-IT, CC-BY 4.0.
 * VMs        in the byte order of their file names: slot == that order.
 * Sizes      none in the data: the percentages are of a size nobody gives.
 * Repairs    a value above 100 % (some memory values are) is taken as 100 %
 *            and counted.
 */
#include "trace/trace_priv.h"

enum { PPM_FULL = 1000000, LINE_BYTES_MIN = 4 };

static bool parse_line(struct bl__text line, uint64_t ppm[BL__COLUMNS])
{
    const struct bl__text cpu = bl__cut(&line, ' ');

    return bl__parse_pct(cpu, &ppm[BL__CPU]) &&
           bl__parse_pct(line, &ppm[BL__MEM]);
}

static bool gcd_detect(const struct bl__input *in, struct bl__text head)
{
    uint64_t ppm[BL__COLUMNS];

    return bl__input_kind(in) != BL__INPUT_STREAM &&
           parse_line(bl__cut(&head, '\n'), ppm);
}

static uint32_t clamp(uint64_t ppm, uint64_t *clamped_count)
{
    if (ppm <= PPM_FULL)
        return (uint32_t)ppm;
    (*clamped_count)++;
    return PPM_FULL;
}

static bl_err parse_vm(const struct bl__input *in, struct bl__member *v,
                       struct bl_diag *diag)
{
    struct bl__text body = v->body;
    uint32_t n = 0;

    for (; body.size_bytes > 0; n++) {
        const struct bl__text line = bl__cut(&body, '\n');
        uint64_t ppm[BL__COLUMNS];

        if (!parse_line(line, ppm))
            return bl_diag_set(diag, BL_ERR_PARSE, bl__input_label(in), n + 1,
                               "'%s' is not a CPU and a memory percentage, "
                               "expected two numbers such as 6.763 5.103",
                               bl__quote(&(struct bl__quote){ "" }, line));
        if (n == v->step_max)
            return bl__members_full(in, diag);
        v->cell[BL__CPU][n] =
            clamp(ppm[BL__CPU], &v->repairs->cpu_clamped_count);
        v->cell[BL__MEM][n] =
            clamp(ppm[BL__MEM], &v->repairs->mem_clamped_count);
    }
    v->step_count = n;
    return BL_ERR_OK;
}

static bl_err gcd_read(struct bl__input *in, const struct bl_trace_opts *opts,
                       struct bl_trace **out, struct bl_diag *diag)
{
    static const struct bl__members what = {
        .format = &bl__format_gcd,
        .has_mem = true,
        .line_bytes_min = LINE_BYTES_MIN,
        .parse = parse_vm,
    };

    return bl__members_read(in, &what, opts, out, diag);
}

const struct bl__format bl__format_gcd = {
    .name = "gcd",
    .text = "folder or archive: a file for each VM, CPU and memory percent",
    .detect = gcd_detect,
    .read = gcd_read,
};
