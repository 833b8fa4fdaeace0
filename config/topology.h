/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config/topology.h - the topology of a host as hwloc describes it.
 *
 * Of two kinds of text, one line each:
 *   a synthetic description   "pack:2 l3:1 core:8 pu:2" (hwloc's syntax)
 *   a file                    whatever has a '/' in it or ends in ".xml": what
 *                             `lstopo FILE.xml` wrote on some machine
 * Nothing depends on the machine that this runs on.
 *
 * Only pCPUs that the captured machine allowed (cpusets, cgroups) count.
 * Levels of hwloc become those of bl_topo so:
 *   core   hwloc's core; a PU without one is a core of its own
 *   LLC    the outermost CPU cache above a core from L2 on, else the package,
 *          else the node; cut where it reaches over several nodes
 *   node   the smallest NUMA node around a PU, of equals the first: memory of
 *          another kind (HBM, CXL, GPU) beside it makes no node of its own,
 *          and a node without pCPUs is left out; without any: one node
 *
 * Layer        config (L5).
 * Units        distances as in an ACPI SLIT: 10 is local.
 * Ownership    *out is a value.
 * Allocation   inside the call only.
 * Errors       BL_ERR_PARSE (not hwloc's syntax, not hwloc's XML), BL_ERR_INVAL
 *              (more than BL_PCPUS_MAX pCPUs, none at all, too many nodes),
 *              BL_ERR_IO, BL_ERR_NOMEM; *out untouched.
 * Threads      no shared state.
 * Determinism  pCPUs follow hwloc's logical order, which is that of the
 *              topology.
 * Limits       BL_TOPOLOGY_BYTES of text; 16 MiB of XML.
 */
#ifndef BL_CONFIG_TOPOLOGY_H
#define BL_CONFIG_TOPOLOGY_H

#include "base/diag.h"
#include "hv/topo.h"

#define BL_TOPOLOGY_BYTES 256

/* What was not as the text had it. */
struct bl_topology_notes {
    /* Distances that cannot be (a local one that is not 10, a remote one that
     * is not more) are 10 and 20 here. */
    bool distances_assumed;
    uint32_t nodes_left_out; /* without pCPUs of their own */
};

/** bl_topology_load - @text as said above.
 * @dir    prefix of a relative file's path, with its '/'; "" or NULL: none
 * @notes  or NULL
 * @diag   names no file: the caller knows where @text stands */
BL_NODISCARD bl_err bl_topology_load(const char *text, const char *dir,
                                     struct bl_topo *out,
                                     struct bl_topology_notes *notes,
                                     struct bl_diag *diag);

/* Is @text the path of a file, not a synthetic description? */
bool bl_topology_is_file(const char *text);

#endif /* BL_CONFIG_TOPOLOGY_H */
