#include "follow.h"

#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an instruction does to the flow of control. */
enum flow { FLOW_ON, FLOW_JUMP, FLOW_BRANCH, FLOW_CALL, FLOW_RETURN };

struct instruction {
    enum flow flow;
    uint32_t next;
    uint32_t target; /* 0: a register says */
};

struct code {
    const struct image *image;
    Elf *elf;
    GHashTable *x86; /* address -> struct instruction; NULL: it is ARM's */
};

/* ---- ARM: DDI 0406C A5.5, A8.8.18, A8.8.25 ---- */

/* The word at a virtual address; 0: there is none. */
static uint32_t word_at(const struct code *code, uint32_t address)
{
    size_t n = 0;
    elf_getphdrnum(code->elf, &n);
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr header;
        gelf_getphdr(code->elf, (int)i, &header);
        if (address >= header.p_vaddr && address + 4 <= header.p_vaddr + header.p_filesz)
            return *(const uint32_t *)(const void *)((const char *)code->image->data +
                                                     header.p_offset + (address - header.p_vaddr));
    }
    return 0;
}

static struct instruction arm_instruction(const struct code *code, uint32_t address)
{
    const uint32_t word = word_at(code, address);
    const bool bx_lr = (word & 0x0fffffffu) == 0x012fff1eu;
    const bool ldm_pc = (word & 0x0e108000u) == 0x08108000u; /* pop {..., pc} */
    const bool branch = (word & 0x0e000000u) == 0x0a000000u;
    const bool link = (word & 0x01000000u) != 0;
    const bool always = word >> 28 == 0xe;
    struct instruction instruction = {
        .next = address + 4,
        .target = address + 8 + (uint32_t)((int32_t)(word << 8) >> 6),
    };
    if (bx_lr || ldm_pc)
        instruction.flow = FLOW_RETURN;
    else if (branch && link)
        instruction.flow = FLOW_CALL;
    else if (branch)
        instruction.flow = always ? FLOW_JUMP : FLOW_BRANCH;
    return instruction;
}

/* ---- x86-64: as objdump tells it ---- */

static enum flow x86_flow(const char *text)
{
    static const struct {
        const char *prefix;
        enum flow flow;
    } rows[] = {
        {"ret", FLOW_RETURN}, {"call", FLOW_CALL},   {"jmp", FLOW_JUMP},
        {"j", FLOW_BRANCH},   {"loop", FLOW_BRANCH},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_str_has_prefix(text, rows[i].prefix))
            return rows[i].flow;
    return FLOW_ON;
}

/* "  1200345:\t74 05 \tje     120034c <...>" */
static void take_line(struct code *code, char *line)
{
    g_auto(GStrv) fields = g_strsplit(g_strstrip(line), "\t", 3);
    if (g_strv_length(fields) < 3 || !g_str_has_suffix(fields[0], ":"))
        return;
    const uint32_t address = (uint32_t)strtoul(fields[0], NULL, 16);
    g_auto(GStrv) bytes = g_strsplit(g_strchomp(fields[1]), " ", -1);
    const char *operand = strchr(fields[2], ' ');
    struct instruction *instruction = g_new0(struct instruction, 1);
    instruction->flow = x86_flow(fields[2]);
    instruction->next = address + g_strv_length(bytes);
    if (operand != NULL && strchr(operand, '*') == NULL)
        instruction->target = (uint32_t)strtoul(operand, NULL, 16);
    g_hash_table_insert(code->x86, GUINT_TO_POINTER(address), instruction);
}

static void read_x86(struct code *code, uint32_t from, uint32_t to)
{
    g_autofree char *start = g_strdup_printf("--start-address=%u", from);
    g_autofree char *stop = g_strdup_printf("--stop-address=%u", to);
    char *argv[] = {(char *)"objdump",         (char *)"-d", (char *)"--insn-width=15", start, stop,
                    (char *)code->image->path, NULL};
    g_autofree char *out = NULL;
    int status;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status,
                      NULL) ||
        status != 0) {
        fputs("objdump cannot be run: apt install binutils\n", stderr);
        exit(2);
    }
    code->x86 = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        take_line(code, *line);
}

/* ---- both ---- */

struct code *code_open(const struct image *image, uint32_t from, uint32_t to)
{
    struct code *code = g_new0(struct code, 1);
    code->image = image;
    code->elf = elf_memory((char *)image->data, image->size);
    if (strcmp(image->arch, "x86_64") == 0)
        read_x86(code, from, to);
    return code;
}

void code_close(struct code *code)
{
    elf_end(code->elf);
    g_clear_pointer(&code->x86, g_hash_table_unref);
    g_free(code);
}

static struct instruction instruction_at(const struct code *code, uint32_t address)
{
    if (code->x86 == NULL)
        return arm_instruction(code, address);
    const struct instruction *found = g_hash_table_lookup(code->x86, GUINT_TO_POINTER(address));
    return found != NULL ? *found : (struct instruction){.flow = FLOW_ON};
}

bool code_can_follow(const struct code *code, struct calls *calls, uint32_t from, uint32_t to)
{
    const struct instruction instruction = instruction_at(code, from);
    const bool jumped = instruction.target == 0 || to == instruction.target;
    switch (instruction.flow) {
    case FLOW_RETURN:
        return calls->depth > 0 && to == calls->to[--calls->depth];
    case FLOW_CALL:
        g_assert(calls->depth < CALLS);
        calls->to[calls->depth++] = instruction.next;
        return jumped;
    case FLOW_JUMP:
        return jumped;
    case FLOW_BRANCH:
        return jumped || to == instruction.next;
    case FLOW_ON:
        break;
    }
    return to == instruction.next;
}
