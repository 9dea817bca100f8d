/* A frame, an address, or an error, in one word (Codezero's ERR_PTR and IS_ERR). */
#ifndef FAULTLINE_CORE_VM_ERROR_H
#define FAULTLINE_CORE_VM_ERROR_H

#include <stdbool.h>
#include <stdint.h>

/* FL_ERROR_*, negated. */
static inline uint32_t vm_error(uint32_t error)
{
    return -error;
}

/* There are fewer than 1000 errors, and all else is good ("IS_ERR(x) to accept negative values that
 * are above -1000", seed 004). A policy: policy.h. */
static inline bool vm_is_error(uint32_t word)
{
    return (int32_t)word < 0 && (int32_t)word > -1000;
}

/* No page yet: it is on its way, and whoever needs it has to wait. No error has this number. */
#define VM_PAGE_COMES vm_error(999)

#endif
