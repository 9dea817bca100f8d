/* What the parts of certcheck share: saying no, reading words, and what each form of certificate
 * has to know of itself. */
#ifndef FAULTLINE_CERTCHECK_PARTS_H
#define FAULTLINE_CERTCHECK_PARTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NONE UINT32_MAX

enum { ACCEPTED = 0, REFUSED = 1, UNUSABLE = 2 };

_Noreturn void refuse(const char *format, ...) G_GNUC_PRINTF(1, 2);
_Noreturn void unusable(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* The line being read. */
unsigned long at_line(void);
uint32_t number(const char *word);

/* Runs made again: what faultline places prints of them. */
struct replay {
    FILE *output;
    char *line;
    size_t room;
};

/* The next line, without its end. */
const char *next_line(struct replay *replay, uint32_t run);

/* A form of certificate: how its runs are told, and why there are no others. */
struct form {
    void (*read)(const char *line); /* a line after the header */
    void (*check_closure)(void);
    uint32_t (*runs)(void);
    void (*write_schedule)(FILE *file, uint32_t run);
    void (*expect_run)(struct replay *replay, uint32_t run); /* after its "run" line */
    const char *option;                                      /* of faultline places, or NULL */
    void (*print_claim)(void);
};

extern const struct form form_orders;
/* Of runs in which nobody queues up with core; to be said before its lines are read. */
void orders_unqueued(void);

#endif
