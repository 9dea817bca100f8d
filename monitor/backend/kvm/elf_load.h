/* Puts a guest's ELF image into RAM. The image is not trusted. */
#ifndef FAULTLINE_KVM_ELF_LOAD_H
#define FAULTLINE_KVM_ELF_LOAD_H

#include <stddef.h>
#include <stdint.h>
#include "complaint.h"

/* Loads the segments where they say (physical addresses), zeroes what the file does not hold of
 * them, and finds the entry of PVH (a note). RAM begins at physical address 0. */
bool elf_load(const uint8_t *file, size_t file_size, uint8_t *ram, size_t ram_size, uint32_t *entry,
              struct complaint *complaint);

#endif
