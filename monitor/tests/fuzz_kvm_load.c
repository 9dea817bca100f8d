/* Any bytes at all as an image for the VMM, and as damage to a sound one. */
#include <stdbool.h>
#include "backend/kvm/elf_load.h"
#include "make_elf64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t ram[0x2000];
    struct made_elf64 made = make_elf64();
    struct complaint complaint;
    uint32_t entry;
    for (size_t i = 0; i < size && i < sizeof made; i++)
        ((uint8_t *)&made)[i] ^= data[i];
    elf_load(data, size, ram, sizeof ram, &entry, &complaint);
    elf_load((const uint8_t *)&made, sizeof made, ram, sizeof ram, &entry, &complaint);
    return 0;
}
