/* Wait queues and mutexes in a server: the main function of a domain, and what its clients call.
 *
 * Codezero's kernel could be preempted, and it was its code around wait queues that had to be got
 * right (seed 004; design.md, The guest). This kernel is not preempted there, so that code lives
 * here, where it is. A client that sleeps, or waits for a mutex, is one whose call is not answered.
 *
 * A client gets ready to sleep, looks (gives up a mutex), and then sleeps. Whoever wakes the queue
 * in between is not missed: the sleep is over before it begins.
 */
#ifndef FAULTLINE_WAIT_SERVER_H
#define FAULTLINE_WAIT_SERVER_H

#include <stdint.h>
#include "program.h"

enum { /* labels of calls; w[0]: queue or mutex, w[1]: WAIT_*, w[2]: path of the caller */
       WAIT_LABEL_PREPARE = FL_LABEL_USER,
       WAIT_LABEL_CANCEL,
       WAIT_LABEL_SLEEP,
       WAIT_LABEL_WAKE,
       WAIT_LABEL_LOCK,
       WAIT_LABEL_UNLOCK,
};

enum { /* of PREPARE: when the client is off the run queue */
       WAIT_ON_SLEEP,
       WAIT_AT_ONCE, /* as in Codezero: it runs on until another does, and is asleep then */
};

_Noreturn void wait_server_main(void);

SYS_ALWAYS_INLINE void wait_call(uint32_t domain, uint32_t label, uint32_t object, uint32_t how)
{
    struct msg msg = {.label = label, .w = {object, how, sys_utcb()->path}};
    program_expect(sys_call(program_thread(domain), &msg) == FL_ERROR_OK &&
                   msg.label == FL_ERROR_OK);
}

/* To be said before what is waited for is looked at. */
SYS_ALWAYS_INLINE void wait_looks(uint32_t queue)
{
    sys_mark(FL_EVENT_MARK_DEED, sys_utcb()->path, FL_DEED_LOOKS, queue);
}

#endif
