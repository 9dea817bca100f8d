/* What programs ask of core by IPC: guest/lib/core.h has the other side. */
#ifndef FAULTLINE_CORE_RPC_H
#define FAULTLINE_CORE_RPC_H

#include <stdint.h>
#include "domain.h"

/* No answer yet: the call waits for a page (page_in.h). */
#define RPC_WAITS UINT32_MAX

/* `words` holds what was asked and takes what is answered. FL_ERROR_*, or RPC_WAITS. */
uint32_t rpc_perform(struct domain *domain, tid_t sender, uint32_t label,
                     uint32_t words[SYS_MSG_WORDS]);

#endif
