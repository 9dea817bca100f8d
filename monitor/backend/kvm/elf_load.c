/* References: the ELF-64 object file format; xen/include/public/elfnote.h for the note. */
#include "elf_load.h"

#include <elf.h>
#include <string.h>

#define NOTE_OWNER        "Xen"
#define NOTE_PHYS32_ENTRY 18

struct span {
    uint64_t from, size;
};

static bool within(struct span span, uint64_t size)
{
    return span.from <= size && span.size <= size - span.from;
}

static bool is_guest(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           header->e_machine == EM_X86_64 && header->e_phentsize == sizeof(Elf64_Phdr);
}

static bool load_segment(const Elf64_Phdr *segment, const uint8_t *file, size_t file_size,
                         uint8_t *ram, size_t ram_size, struct complaint *complaint)
{
    if (segment->p_filesz > segment->p_memsz ||
        !within((struct span){segment->p_offset, segment->p_filesz}, file_size))
        return complain(complaint, "the image is damaged: a segment of 0x%llx bytes is not in it",
                        (unsigned long long)segment->p_filesz);
    if (!within((struct span){segment->p_paddr, segment->p_memsz}, ram_size))
        return complain(complaint,
                        "the image does not fit: a segment of 0x%llx bytes at 0x%llx lies outside "
                        "of RAM (0x%zx bytes)",
                        (unsigned long long)segment->p_memsz, (unsigned long long)segment->p_paddr,
                        ram_size);
    memcpy(ram + segment->p_paddr, file + segment->p_offset, segment->p_filesz);
    memset(ram + segment->p_paddr + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
    return true;
}

static uint64_t padded(uint64_t size)
{
    return (size + 3) & ~(uint64_t)3;
}

/* Whether the entry is among the notes of that segment. */
static bool find_entry(const Elf64_Phdr *segment, const uint8_t *file, size_t file_size,
                       uint32_t *entry)
{
    if (!within((struct span){segment->p_offset, segment->p_filesz}, file_size))
        return false;
    const uint8_t *notes = file + segment->p_offset;
    Elf64_Nhdr note;
    for (uint64_t at = 0; within((struct span){at, sizeof note}, segment->p_filesz);) {
        memcpy(&note, notes + at, sizeof note);
        const struct span name = {at + sizeof note, note.n_namesz};
        const struct span value = {name.from + padded(name.size), note.n_descsz};
        if (!within(name, segment->p_filesz) || !within(value, segment->p_filesz))
            return false;
        if (note.n_type == NOTE_PHYS32_ENTRY && name.size == sizeof NOTE_OWNER &&
            memcmp(notes + name.from, NOTE_OWNER, sizeof NOTE_OWNER) == 0 &&
            value.size >= sizeof *entry) {
            memcpy(entry, notes + value.from, sizeof *entry);
            return true;
        }
        at = value.from + padded(value.size);
    }
    return false;
}

bool elf_load(const uint8_t *file, size_t file_size, uint8_t *ram, size_t ram_size, uint32_t *entry,
              struct complaint *complaint)
{
    Elf64_Ehdr header = {0};
    if (file_size >= sizeof header)
        memcpy(&header, file, sizeof header);
    if (!is_guest(&header))
        return complain(complaint, "the image is no ELF file for x86-64");
    const struct span table = {header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr)};
    if (!within(table, file_size))
        return complain(complaint, "the image is damaged: its table of segments is not in it");
    bool found = false;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, file + table.from + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_NOTE)
            found = find_entry(&segment, file, file_size, entry) || found;
        if (segment.p_type == PT_LOAD &&
            !load_segment(&segment, file, file_size, ram, ram_size, complaint))
            return false;
    }
    return found || complain(complaint, "the image has no entry for PVH (ELF note %d of %s)",
                             NOTE_PHYS32_ENTRY, NOTE_OWNER);
}
