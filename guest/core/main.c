/* core: the user-mode pager, and what programs ask of it. One thread that answers one message after
 * another; nothing here waits for anybody else. */
#include "domain.h"
#include "fault.h"
#include "frames.h"
#include "program.h"
#include "rpc.h"

/* Resolves the fault of *sender, or puts it on halt: then no answer is due. */
static void serve_fault(struct domain *domain, tid_t *sender, struct msg *msg)
{
    uint32_t reason = domain ? fault_resolve(domain, msg->w[0], msg->w[1]) : FL_HALT_NO_PAGER;

    msg->label = FL_ERROR_OK;
    if (reason != FL_HALT_NONE) {
        sys_thread_halt(*sender, reason);
        *sender = 0;
    }
}

/* The answer, in *msg, is due to *sender, unless that is 0 afterwards. */
static void serve(tid_t *sender, struct msg *msg)
{
    struct domain *domain = domain_of(*sender);

    msg->words = 0;
    if (msg->label == FL_LABEL_FAULT)
        serve_fault(domain, sender, msg);
    else if (domain)
        msg->label = rpc_perform(domain, *sender, msg->label, msg->w);
    else
        msg->label = FL_ERROR_INVALID;
}

static void core_main(void)
{
    tid_t sender = 0;
    struct msg msg = {0};

    frames_init();
    domains_start();
    for (;;)
        if (sys_reply_wait(&sender, &msg) == FL_ERROR_OK)
            serve(&sender, &msg);
        else
            sender = 0; /* it did not wait for an answer, or is gone */
}

const struct program program = {.main = {core_main}};
