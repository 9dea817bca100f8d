/* libvirt (formatdomain.html) has words for the machine's type, RAM, kernel, serial line, and for
 * what becomes of it. It has none for icount, cntfrq, a file of RAM with a name of ours, or
 * plugins: these go past it by <qemu:commandline>, and since they come last on QEMU's command line,
 * they win: of two -cpu the last counts, two -machine are merged. */
#include "domain_xml.h"

static const char *const frame =
    "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n"
    "  <name>%s</name>\n"
    "  <uuid>%s</uuid>\n"
    "  <memory unit='MiB'>%u</memory>\n"
    "  <vcpu>1</vcpu>\n"
    "  <os>\n"
    "    <type arch='%s' machine='%s'>hvm</type>\n"
    "    <kernel>%s</kernel>\n"
    "  </os>\n"
    "  <on_poweroff>destroy</on_poweroff>\n"
    "  <on_reboot>destroy</on_reboot>\n"
    "  <on_crash>destroy</on_crash>\n"
    "  <devices>\n"
    "    <emulator>%s</emulator>\n"
    "    <controller type='usb' model='none'/>\n"
    "    <serial type='pty'><target port='0'/></serial>\n"
    "    <console type='pty'><target type='serial' port='0'/></console>\n"
    "    <memballoon model='none'/>\n"
    "  </devices>\n"
    "  <qemu:commandline>\n";

static void add(GString *xml, const char *word)
{
    g_autofree char *line = g_markup_printf_escaped("    <qemu:arg value='%s'/>\n", word);
    g_string_append(xml, line);
}

char *domain_xml(const struct domain *domain)
{
    const struct spawn_machine *machine = domain->machine;
    g_autofree char *head =
        g_markup_printf_escaped(frame, domain->name, domain->uuid, machine->ram_mib, machine->arch,
                                machine->machine, machine->kernel, domain->emulator);
    GString *xml = g_string_new(head);
    add(xml, "-machine");
    add(xml, machine->details);
    for (char *const *option = machine->options; *option != NULL; option++)
        add(xml, *option);
    g_string_append(xml, "  </qemu:commandline>\n</domain>\n");
    return g_string_free(xml, FALSE);
}
