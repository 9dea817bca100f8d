/* Images for tests: a small ELF with the three sections that a monitor reads. */
#ifndef FAULTLINE_TEST_MAKE_IMAGE_H
#define FAULTLINE_TEST_MAKE_IMAGE_H

#include <elf.h>
#include <glib.h>
#include <string.h>
#include "abi.h"

struct made_image {
    Elf32_Ehdr elf;
    Elf32_Shdr sections[5]; /* none, names, image, scenarios, audit */
    char names[80];
    struct fl_image header;
    struct fl_audit_field audit[2];
    struct fl_scenario scenarios[2];
};

static inline Elf32_Shdr made_section(const struct made_image *made, const char *name,
                                      Elf32_Word type, size_t offset, size_t size)
{
    const char *end = made->names + sizeof made->names;
    const char *at = memmem(made->names, (size_t)(end - made->names), name, strlen(name) + 1);
    g_assert(at != NULL);
    return (Elf32_Shdr){
        .sh_name = (Elf32_Word)(at - made->names),
        .sh_type = type,
        .sh_offset = (Elf32_Off)offset,
        .sh_size = (Elf32_Word)size,
        .sh_addralign = 1,
    };
}

static inline struct fl_scenario made_scenario(const char *id)
{
    struct fl_scenario scenario = {
        .summary = "a scenario",
        .source = "this test",
        .threads = "main",
        .n_domains = 1,
        .n_named = 1,
        .n_params = 1,
        .n_variants = 2,
        .domains = {{.name = "main"}},
        .named = {{.path = FL_PATH_CHILD2(0, 1), .name = "t1"}},
        .params = {{.id = "size", .summary = "of things", .preset = 2, .min = 1, .max = 3}},
        .variants = {{.id = "bad", .expect = "no-deadlock", .bound = 1},
                     {.id = "fixed", .expect = "clean", .bound = 2}},
    };
    g_strlcpy(scenario.id, id, sizeof scenario.id);
    return scenario;
}

/* A sound image; tests damage it. */
static inline struct made_image make_image(void)
{
    struct made_image made = {
        .elf =
            {
                .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
                            EV_CURRENT},
                .e_type = ET_EXEC,
                .e_machine = EM_ARM,
                .e_version = EV_CURRENT,
                .e_shoff = offsetof(struct made_image, sections),
                .e_ehsize = sizeof(Elf32_Ehdr),
                .e_shentsize = sizeof(Elf32_Shdr),
                .e_shnum = 5,
                .e_shstrndx = 1,
            },
        .names = "\0.shstrtab\0.faultline.image\0.faultline.scenarios\0.faultline.audit",
        .header =
            {
                .magic = FL_ABI_MAGIC,
                .abi_version = FL_ABI_VERSION,
                .arch = FL_ARCH_ARMV7,
                .ram_size = FL_RAM_SIZE,
                .shared_offset = FL_SHARED_OFFSET,
                .shared_size = sizeof(struct fl_shared),
                .n_scenarios = 2,
            },
        .audit = {{.id = FL_AUDIT_FIELD_OBJECT_KIND,
                   .size = 2,
                   .address = FL_CORE_BASE,
                   .offset = 4,
                   .stride = 12,
                   .count = 3},
                  {.id = FL_AUDIT_FIELD_TOTAL_OBJECTS, .size = 4, .stride = 4, .count = 1}},
    };
    made.scenarios[0] = made_scenario("first");
    made.scenarios[1] = made_scenario("second");
    made.sections[1] = made_section(&made, ".shstrtab", SHT_STRTAB,
                                    offsetof(struct made_image, names), sizeof made.names);
    made.sections[2] = made_section(&made, ".faultline.image", SHT_PROGBITS,
                                    offsetof(struct made_image, header), sizeof made.header);
    made.sections[3] = made_section(&made, ".faultline.scenarios", SHT_PROGBITS,
                                    offsetof(struct made_image, scenarios), sizeof made.scenarios);
    made.sections[4] = made_section(&made, ".faultline.audit", SHT_PROGBITS,
                                    offsetof(struct made_image, audit), sizeof made.audit);
    return made;
}

#endif
