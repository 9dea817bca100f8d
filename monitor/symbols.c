/* Symbols with libelf, line numbers from DWARF with libdw.
 *
 * A program counter lies in a stack of frames: the function that was compiled, and the functions
 * inlined into it. System call stubs are always inlined and live in headers, so the innermost frame
 * would tell a user nothing ("sys_trap, sys.h:40"). What is wanted is the line of the .c file that
 * made the call: the innermost frame whose file is a .c file.
 */
#include "symbols.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

struct image_debug {
    Elf *elf;
    Dwarf *dwarf;      /* NULL: the image has none */
    Dwarf_CFI *calls;  /* of .eh_frame, looked for when there is no .debug_frame */
    GHashTable *cache; /* pc -> struct source_place; function "" stands for not known */
};

struct image_debug *image_debug_new(Elf *elf)
{
    struct image_debug *debug = g_new0(struct image_debug, 1);
    debug->elf = elf;
    debug->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    debug->cache = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    return debug;
}

void image_debug_free(struct image_debug *debug)
{
    if (debug == NULL)
        return;
    g_hash_table_destroy(debug->cache);
    if (debug->calls != NULL)
        dwarf_cfi_end(debug->calls);
    dwarf_end(debug->dwarf);
    g_free(debug);
}

Dwarf_CFI *image_debug_calls(struct image_debug *debug)
{
    Dwarf_CFI *calls = debug->dwarf != NULL ? dwarf_getcfi(debug->dwarf) : NULL;
    if (calls != NULL)
        return calls;
    if (debug->calls == NULL)
        debug->calls = dwarf_getcfi_elf(debug->elf);
    return debug->calls;
}

static Elf_Scn *symbol_table(Elf *elf, GElf_Shdr *header)
{
    Elf_Scn *section = NULL;
    while ((section = elf_nextscn(elf, section)) != NULL)
        if (gelf_getshdr(section, header) != NULL && header->sh_type == SHT_SYMTAB)
            return section;
    return NULL;
}

bool image_debug_symbol(const struct image_debug *debug, const char *name, uint64_t *address)
{
    GElf_Shdr header;
    GElf_Sym symbol;
    Elf_Scn *section = symbol_table(debug->elf, &header);
    Elf_Data *data = section != NULL ? elf_getdata(section, NULL) : NULL;
    for (int i = 0; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++) {
        const char *found = elf_strptr(debug->elf, header.sh_link, symbol.st_name);
        if (GELF_ST_BIND(symbol.st_info) != STB_GLOBAL || symbol.st_shndx == SHN_UNDEF ||
            found == NULL || strcmp(found, name) != 0)
            continue;
        *address = symbol.st_value;
        return true;
    }
    return false;
}

bool image_symbol(const struct image *image, const char *name, uint64_t *address)
{
    return image_debug_symbol(image->debug, name, address);
}

/* The compilation unit that holds pc. .debug_aranges is optional (clang writes none), so a miss
 * there is followed by a look at every unit. */
static bool find_unit(Dwarf *dwarf, Dwarf_Addr pc, Dwarf_Die *unit)
{
    if (dwarf_addrdie(dwarf, pc, unit) != NULL)
        return true;
    Dwarf_CU *cu = NULL;
    uint8_t type;
    while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, unit, NULL) == 0) {
        if (dwarf_haspc(unit, pc) > 0)
            return true;
    }
    return false;
}

static const char *compilation_dir(Dwarf_Die *unit)
{
    Dwarf_Attribute attr;
    const char *dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
    return dir != NULL ? dir : "";
}

/* The compiler notes either a path below the directory it ran in, or that directory joined with it,
 * or what -fdebug-prefix-map made of them. */
static void relative_path(Dwarf_Die *unit, const char *file, char *out, size_t size)
{
    char *dir = g_canonicalize_filename(compilation_dir(unit), "/");
    char *path = g_canonicalize_filename(file, dir);
    size_t length = strlen(dir);
    const char *relative = path + 1;
    if (g_str_has_prefix(path, dir) && path[length] == '/')
        relative = path + length + 1;
    g_strlcpy(out, relative, size);
    g_free(path);
    g_free(dir);
}

/* Where a function was inlined into the one around it. */
static const char *call_site(Dwarf_Die *unit, Dwarf_Die *inlined, int *line)
{
    Dwarf_Attribute attr;
    Dwarf_Word file, number;
    Dwarf_Files *files;
    size_t n_files;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attr), &file) != 0 ||
        dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attr), &number) != 0 ||
        dwarf_getsrcfiles(unit, &files, &n_files) != 0 || file >= n_files)
        return NULL;
    *line = (int)number;
    return dwarf_filesrc(files, file, NULL, NULL);
}

static const char *line_table(Dwarf_Die *unit, Dwarf_Addr pc, int *line)
{
    Dwarf_Line *row = dwarf_getsrc_die(unit, pc);
    if (row == NULL || dwarf_lineno(row, line) != 0)
        return NULL;
    return dwarf_linesrc(row, NULL, NULL);
}

static bool is_function(Dwarf_Die *die)
{
    int tag = dwarf_tag(die);
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static void fill(struct source_place *place, Dwarf_Die *unit, Dwarf_Die *function, const char *file,
                 int line)
{
    const char *name = dwarf_diename(function);
    g_strlcpy(place->function, name != NULL ? name : "?", sizeof place->function);
    relative_path(unit, file, place->file, sizeof place->file);
    place->line = line > 0 ? (unsigned)line : 0;
}

/* Goes outward through the frames at pc. */
static size_t walk_frames(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die *scopes, int n_scopes,
                          struct source_frame *frames, size_t max)
{
    int line = 0, declared = 0;
    size_t count = 0;
    const char *file = line_table(unit, pc, &line);
    for (int i = 0; i < n_scopes && file != NULL && count < max; i++) {
        if (!is_function(&scopes[i]))
            continue;
        fill(&frames[count].place, unit, &scopes[i], file, line);
        if (dwarf_decl_line(&scopes[i], &declared) == 0)
            frames[count].declared = (unsigned)declared;
        count++;
        if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
            break;
        file = call_site(unit, &scopes[i], &line);
    }
    return count;
}

/* dwarf_getscopes leaves the tree of inlined calls for the inlined function's own, abstract scopes;
 * dwarf_getscopes_die goes up that tree (as elfutils' addr2line -i does). */
static size_t look_up(Dwarf *dwarf, Dwarf_Addr pc, struct source_frame *frames, size_t max)
{
    Dwarf_Die unit;
    if (dwarf == NULL || !find_unit(dwarf, pc, &unit))
        return 0;
    Dwarf_Die *innermost = NULL;
    size_t count = 0;
    if (dwarf_getscopes(&unit, pc, &innermost) > 0) {
        Dwarf_Die *scopes = NULL;
        int n_scopes = dwarf_getscopes_die(&innermost[0], &scopes);
        count = walk_frames(&unit, pc, scopes, n_scopes, frames, max);
        free(scopes);
    }
    free(innermost);
    return count;
}

/* The innermost frame in a .c file; the innermost of all in case that none is. */
static struct source_place *find_source(Dwarf *dwarf, Dwarf_Addr pc)
{
    struct source_frame frames[16] = {{.declared = 0}};
    size_t count = look_up(dwarf, pc, frames, G_N_ELEMENTS(frames));
    size_t chosen = 0;
    while (chosen < count && !g_str_has_suffix(frames[chosen].place.file, ".c"))
        chosen++;
    return g_memdup2(&frames[chosen < count ? chosen : 0].place, sizeof(struct source_place));
}

bool image_debug_source(struct image_debug *debug, uint64_t pc, struct source_place *place)
{
    gpointer key = GSIZE_TO_POINTER((gsize)pc);
    struct source_place *known = g_hash_table_lookup(debug->cache, key);
    if (known == NULL) {
        known = find_source(debug->dwarf, pc);
        g_hash_table_insert(debug->cache, key, known);
    }
    *place = *known;
    return known->function[0] != '\0';
}

bool image_source(const struct image *image, uint64_t pc, struct source_place *place)
{
    return image_debug_source(image->debug, pc, place);
}

size_t image_frames(const struct image *image, uint64_t pc, struct source_frame *frames, size_t max)
{
    memset(frames, 0, max * sizeof(*frames));
    return look_up(image->debug->dwarf, pc, frames, max);
}

/* The first address of the function that was compiled around pc. */
static bool function_begins(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Addr *begins)
{
    Dwarf_Die *innermost = NULL, *scopes = NULL;
    const int n_scopes =
        dwarf_getscopes(unit, pc, &innermost) > 0 ? dwarf_getscopes_die(innermost, &scopes) : 0;
    bool found = false;
    for (int i = 0; i < n_scopes && !found; i++)
        found = dwarf_tag(&scopes[i]) == DW_TAG_subprogram && dwarf_lowpc(&scopes[i], begins) == 0;
    free(scopes);
    free(innermost);
    return found;
}

/* Each row of the line table holds for the code up to the next one. */
bool image_line_step(const struct image *image, uint64_t pc, uint32_t *step)
{
    Dwarf *dwarf = image->debug->dwarf;
    Dwarf_Die unit;
    Dwarf_Addr begins;
    Dwarf_Lines *lines;
    size_t n_lines;
    struct source_place wanted, place;
    if (dwarf == NULL || !find_unit(dwarf, pc, &unit) || !function_begins(&unit, pc, &begins) ||
        dwarf_getsrclines(&unit, &lines, &n_lines) != 0 || !image_source(image, pc, &wanted))
        return false;
    *step = 0;
    for (size_t i = 0; i + 1 < n_lines; i++) {
        Dwarf_Addr from, to;
        if (dwarf_lineaddr(dwarf_onesrcline(lines, i), &from) != 0 ||
            dwarf_lineaddr(dwarf_onesrcline(lines, i + 1), &to) != 0 || from < begins ||
            from >= pc || from >= to || !image_source(image, from, &place))
            continue;
        if (place.line == wanted.line && strcmp(place.function, wanted.function) == 0)
            *step += (uint32_t)(MIN(to, pc) - from);
    }
    return true;
}
