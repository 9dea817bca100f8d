/* Findings and events as text for people. */
#ifndef FAULTLINE_REPORT_TEXT_H
#define FAULTLINE_REPORT_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "engine.h"

/* Where in the source a pc is; whoever has an image answers. false: not known. */
struct report_place {
    char function[64];
    char file[128];
    unsigned line;
};
typedef bool (*report_lookup)(void *data, uint64_t pc, struct report_place *place);
/* What lies at a data address: "list_lock", "slots_taken + 4". false: not known. */
typedef bool (*report_name)(void *data, uint64_t address, char *name, size_t size);

struct report {
    const struct fl_scenario *scenario; /* may be NULL */
    const struct verdict *verdict;
    const struct fl_event *events; /* of the whole run */
    size_t n_events;
    const struct fl_preemption *taken; /* that took place, in the order of the run */
    size_t n_taken;
    report_lookup lookup; /* may be NULL */
    report_name name;     /* may be NULL */
    void *lookup_data;    /* of both */
};

/* "stack-slot-exclusive: slot 3 (0x40300000) reserved by ...", or "clean", or why inconclusive. */
void report_verdict(GString *out, const struct report *report);

/* "1 preemption: main at its 4th entry (ipc-send ATTACH_AT, guest/lib/x.c:88) -> t1"; more than one
 * preemption get a line each, all but the first indented by `indent`. No newline at the end. */
void report_preemptions(GString *out, const struct report *report, unsigned indent);

/* "refused: the 7th frame, which core needs for ATTACH_AT of main", a line each, which it begins.
 */
void report_refusals(GString *out, const struct report *report, unsigned indent);

#define REPORT_ADDRESS_MAX 48
/* "alloc_lock", "slot 1 + 0xff0", or the bare address. Returns buffer. */
const char *report_address(const struct report *report, uint64_t address,
                           char buffer[REPORT_ADDRESS_MAX]);

/* "1st", "12th". Returns buffer. */
const char *report_ordinal(uint32_t n, char buffer[16]);

/* "main  ipc_send to core ATTACH_AT call". No newline. */
void report_event(GString *out, const struct fl_scenario *scenario, const struct fl_event *event);

#endif
