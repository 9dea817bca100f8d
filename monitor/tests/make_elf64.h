/* A small sound guest image for x86-64: a note with its entry, and one segment. */
#ifndef FAULTLINE_TESTS_MAKE_ELF64_H
#define FAULTLINE_TESTS_MAKE_ELF64_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MADE_ENTRY   0x1008u
#define MADE_ADDRESS 0x1000u
#define MADE_CONTENT "what the guest is made of"

struct made_elf64 {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    struct {
        Elf64_Nhdr head; /* of somebody else */
        char name[4];
        uint32_t value;
    } other;
    struct {
        Elf64_Nhdr head;
        char name[4];
        uint32_t entry;
    } note;
    char content[32];
};

static inline struct made_elf64 make_elf64(void)
{
    return (struct made_elf64){
        .header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
                   .e_machine = EM_X86_64,
                   .e_phoff = offsetof(struct made_elf64, segments),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 2},
        .segments = {{.p_type = PT_NOTE,
                      .p_offset = offsetof(struct made_elf64, other),
                      .p_filesz = offsetof(struct made_elf64, content) -
                                  offsetof(struct made_elf64, other)},
                     {.p_type = PT_LOAD,
                      .p_offset = offsetof(struct made_elf64, content),
                      .p_paddr = MADE_ADDRESS,
                      .p_filesz = sizeof MADE_CONTENT,
                      .p_memsz = 0x100}},
        .other = {.head = {.n_namesz = 4, .n_descsz = 1, .n_type = 18}, .name = "GNU"},
        .note = {.head = {.n_namesz = 4, .n_descsz = 4, .n_type = 18},
                 .name = "Xen",
                 .entry = MADE_ENTRY},
        .content = MADE_CONTENT,
    };
}

#endif
