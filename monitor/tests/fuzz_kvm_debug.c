/* Any bytes at all as a debugger's orders to the VMM, and as damage to a sound session. */
#include "debugged_machine.h"

enum { ORDERS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct debug_state said[ORDERS + 1];
    struct debug_order orders[ORDERS];
    uint8_t *bytes = (uint8_t *)orders;
    size = size < sizeof orders ? size : sizeof orders;
    for (unsigned i = 0; i < ORDERS; i++)
        orders[i] = (struct debug_order){
            .magic = DEBUG_MAGIC, .verb = i % DEBUG_VERBS, .address = MACHINE_CODE, .count = 1};
    machine_hears(data, size, said, sizeof said);
    for (size_t i = 0; i < size; i++)
        bytes[i] ^= data[i];
    machine_hears(orders, sizeof orders, said, sizeof said);
    return 0;
}
