/* Audits from outside: whenever core is quiescent the guest stands still, and the monitor walks
 * core's objects through the guest's page tables, counts, and compares every running count with
 * what it counted. Codezero's pager did so from within, and "it discovered a plethora of bugs"
 * (seed 004, mm0_test_global_vm_integrity).
 *
 * Where the objects lie the image says (guest/abi/audit.def); what it does not say is not looked
 * at.
 */
#ifndef FAULTLINE_AUDIT_H
#define FAULTLINE_AUDIT_H

#include "abi.h"
#include "guestmem.h"
#include "image.h"

struct audit;

/* The image must outlive it. */
struct audit *audit_new(const struct image *image);
void audit_free(struct audit *audit);

/* table: physical address of core's top page table, as the guest says. */
struct fl_audit_result audit_walk(struct audit *audit, struct guestmem *memory, uint64_t table);

struct audit_totals {
    uint64_t audits;
    uint64_t walked; /* objects */
    uint64_t differ; /* audits that found a difference */
    double seconds;
};

struct audit_totals audit_totals(const struct audit *audit);

#endif
