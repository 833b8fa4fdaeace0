/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster/forecast.h - what a set of VMs together will ask for, how sure that
 * is, and what the time of day adds.
 *
 * Source     exponential smoothing and its one-step errors (Brown, 1959), order
 *            statistics, least squares; the profile of a day is the mean of
 *            earlier days, the newest weighing most, as in Winters, Management
 *            Science 6(3), 1960 [recalled].
 * Idea       a quantile of a sum is not the sum of quantiles: VMs that peak
 *            together need more than VMs that peak in turn. So what is looked
 *            at is the sum of the histories of the VMs that would be together,
 *            sample by sample; every correlation that they show is in it. It
 *            is smoothed; what smoothing would have missed at each sample may
 *            be missed again, so level plus each of these errors is what may
 *            come next, and a quantile of them is read off. A line is added
 *            where its slope stands out of the noise and rises.
 * Bound      VMs that peak in turn need no more together than one of them, VMs
 *            that do the same need twice as much; quantiles equal those of a
 *            plain second version (test_forecast).
 * Deviation  a falling line is not extended: the level falls soon enough.
 * Cost       level O(window * (1 + (1 - quantile) * window)), window <= 30;
 *            season O(1) for each sample and question.
 *
 * Layer        cluster (L4).   Units  MHz or any other; samples newest first.
 * Allocation   none.           Errors none; no samples is a bug.
 */
#ifndef BL_CLUSTER_FORECAST_H
#define BL_CLUSTER_FORECAST_H

#include "base/err.h"
#include "hv/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

struct bl_forecast_opts {
    double quantile;    /* 0.5 .. 1 */
    const double *gain; /* [BL_HISTORY_MAX], of bl_forecast_gains() */
    double lead;        /* samples ahead that a rising line is followed */
};

struct bl_forecast {
    double mean;
    double level;      /* the quantile, with the rise until then */
    double rise;       /* of it: what the line adds */
    double confidence; /* 0 .. 1: (n - 1) / (n + 1) for n samples */
    uint32_t next_count;
    double next[BL_HISTORY_MAX]; /* what may come next, each as likely */
};

/* What smoothing takes of each error: all of a mean at first, then @smoothing,
 * 0 .. 1. */
void bl_forecast_gains(double smoothing, double *gain);

void bl_forecast_series(const double *y, uint32_t n,
                        const struct bl_forecast_opts *opts,
                        struct bl_forecast *out);

/* The @q quantile of y[0 .. n): linear between order statistics. */
double bl_forecast_quantile(const double *y, uint32_t n, double q);

/* Standard normal quantile for q in 0.5 .. 1, at most 1.97: for VMs of which
 * only a spread is assumed. */
double bl_forecast_normal(double q);

/* ---- time of day ------------------------------------------------------- */

#define BL_SEASON_BINS 96u

struct bl_season {
    double bin_sum[BL_SEASON_BINS]; /* of the day under way */
    uint32_t bin_count[BL_SEASON_BINS];
    double profile[BL_SEASON_BINS]; /* mean of earlier days, 1: a day's mean */
    uint32_t days;                  /* whole days in the profile */
    uint32_t bin;                   /* under way */
    int64_t day;                    /* number of the day under way */
    double confidence;              /* 0 .. 1; 0 before the second day ends */
};

void bl_season_init(struct bl_season *s);

/* One measurement of the whole fleet's demand. @at_ns never falls. */
void bl_season_add(struct bl_season *s, int64_t at_ns, double demand);

/* The most that demand will be within @ahead_ns over what it is now, by the
 * time of day alone: at least 1, and 1 while no pattern has been seen twice. */
double bl_season_rise(const struct bl_season *s, int64_t at_ns,
                      int64_t ahead_ns);

#endif /* BL_CLUSTER_FORECAST_H */
