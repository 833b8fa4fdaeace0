/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power/catalog.h - measured power of real servers, by name.
 *
 * Source     SPECpower_ssj2008 results published at www.spec.org: average watts
 *            of the whole machine at active idle and at 10, 20 ... 100 % of its
 *            calibrated throughput. Those of the consolidation papers are
 *            under the names CloudSim gave them.
 * Idea       servers of 2006 to 2022, because what saves energy changes with
 *            their age: machines up to 2009 are most efficient at full load,
 *            most of those after 2012 at 70 or 80 %. A policy that is tuned on
 *            the old ones alone packs the new ones too tightly.
 * Deviation  none: figures as published, in mW. They hold for the memory and
 *            disks of the tested machine (little of both), so a machine filled
 *            with memory draws more.
 * Cost       a linear search when a scenario is read.
 *
 * Layer        power (L2).       Units   mW.
 * Ownership    static and const. Threads read-only.
 */
#ifndef BL_POWER_CATALOG_H
#define BL_POWER_CATALOG_H

#include "hv/model.h"

#include <stdint.h>

struct bl_power_entry {
    struct bl_power_table table;
    const char *about; /* vendor, model, CPU, cores, speed, year */
};

/* The table called @name; NULL when there is none. */
const struct bl_power_table *bl_power_catalog_find(const char *name);

/* The i-th entry, oldest first; NULL past the last one. */
const struct bl_power_entry *bl_power_catalog_entry(uint32_t i);

#endif /* BL_POWER_CATALOG_H */
