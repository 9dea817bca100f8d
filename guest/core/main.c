/* core: the user-mode pager, and what programs ask of it. One thread that answers one message after
 * another. It never waits for a page: a fault on one that must come from the file server is put
 * aside until a second thread says that the page is there (page_in.h). */
#include "domain.h"
#include "fault.h"
#include "frames.h"
#include "page_in.h"
#include "program.h"
#include "refusal.h"
#include "rpc.h"

static void serve_fault(tid_t *sender, struct msg *msg)
{
    const struct fault fault = {*sender, msg->w[0], msg->w[1], SYS_FAULT_RIGHTS(msg->w[3])};

    msg->label = FL_ERROR_OK;
    if (!fault_serve(&fault))
        *sender = 0;
}

static void serve_operation(struct domain *domain, tid_t *sender, struct msg *msg)
{
    totals_note();
    uint32_t result = rpc_perform(domain, *sender, msg->label, msg->w);

    msg->label = result;
    if (result == RPC_WAITS)
        *sender = 0;
    else if (result != FL_ERROR_OK)
        totals_tell();
}

/* The answer, in *msg, is due to *sender, unless that is 0 afterwards. A function of its own, so
 * that nothing of one request is left in the frame that waits for the next. */
static __attribute__((noinline)) void serve(tid_t *sender, struct msg *msg)
{
    struct domain *domain = domain_of(*sender);

    msg->words = 0;
    if (page_in_is(*sender)) {
        page_in_arrived(msg->w[0]);
        *sender = 0;
    } else if (msg->label == FL_LABEL_FAULT)
        serve_fault(sender, msg);
    else if (domain)
        serve_operation(domain, sender, msg);
    else
        msg->label = FL_ERROR_INVALID;
}

static void core_main(void)
{
    tid_t sender = 0;
    struct msg msg = {0};

    frames_init();
    domains_start();
    refusals_begin();
    for (;;)
        if (sys_reply_wait(&sender, &msg) == FL_ERROR_OK)
            serve(&sender, &msg);
        else
            sender = 0; /* it did not wait for an answer, or is gone */
}

const struct program program = {.main = {core_main}};
