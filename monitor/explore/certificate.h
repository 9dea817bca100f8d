/* What an exhausted search covered, written down so that another program can check it: each run
 * with the choice that it adds to another's, the places that it shows and who could have run there,
 * and how it ended (traces/CERTIFICATE.md). certcheck (analysis/certcheck.c) reads it.
 */
#ifndef FAULTLINE_CERTIFICATE_H
#define FAULTLINE_CERTIFICATE_H

#include <glib.h>
#include <stdbool.h>
#include "strategy.h"

#define CERTIFICATE_VERSION 1

struct certificate_header {
    const char *image, *arch, *backend; /* SHA-256 of the image, its architecture */
    const struct fl_scenario *scenario;
    const struct fl_plan *base;
    const char *depth;
    unsigned bound; /* FL_MAX_PREEMPTIONS: none */
    bool states;    /* runs end at states that are known */
    bool gives_up;  /* where threads give up are places, too; of orders they always are */
    bool orders;    /* of equivalent runs there is one; they come in the order of their tree */
    bool unqueued;  /* with orders: of runs in which nobody calls core while it is at work */
};

struct certificate;

/* Begins a file beside `path`, of which it takes the name when it is done. */
struct certificate *certificate_open(const char *path, const struct certificate_header *header,
                                     GError **error);
/* The runs in the order of their plans: a run's preemptions but the last were another's before.
 * With orders run_report.steps must be told. */
void certificate_run(struct certificate *certificate, const struct run_report *report);
/* Nothing is left. false: it could not be written. */
bool certificate_close(struct certificate *certificate, GError **error);
/* Something is: there is nothing to certify. NULL: nothing. */
void certificate_drop(struct certificate *certificate);

/* "main@4 core,t1": who stands where, and who could run; with the state, if that is told. */
void certificate_place(GString *text, const struct fl_scenario *scenario,
                       const struct run_report *report, size_t i);
/* "clean exited 0123456789abcdef": the end of a run. */
void certificate_end(GString *text, const struct run_report *report);

#endif
