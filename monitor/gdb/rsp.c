#include "rsp.h"

#include <string.h>

#define ESCAPE     '}'
#define ESCAPE_XOR 0x20

static enum rsp_news outside(struct rsp_reader *reader, uint8_t byte)
{
    switch (byte) {
    case '$':
        reader->state = RSP_INSIDE;
        reader->escaped = reader->overlong = false;
        reader->sum = 0;
        reader->size = 0;
        return RSP_NOTHING;
    case '+':
        return RSP_ACK;
    case '-':
        return RSP_NAK;
    case RSP_INTERRUPT:
        return RSP_INTERRUPTS;
    default:
        return RSP_NOTHING;
    }
}

/* A packet begins anew at a $ that is not escaped: what came before it lost its end. */
static enum rsp_news inside(struct rsp_reader *reader, uint8_t byte)
{
    if (byte == '$')
        return outside(reader, byte);
    if (byte == '#') {
        reader->state = RSP_SUM_HIGH;
        return RSP_NOTHING;
    }
    reader->sum = (uint8_t)(reader->sum + byte);
    if (byte == ESCAPE && !reader->escaped) {
        reader->escaped = true;
        return RSP_NOTHING;
    }
    if (reader->escaped)
        byte ^= ESCAPE_XOR;
    reader->escaped = false;
    if (reader->size < RSP_PACKET_MAX)
        reader->data[reader->size++] = byte;
    else
        reader->overlong = true;
    return RSP_NOTHING;
}

static enum rsp_news sum(struct rsp_reader *reader, uint8_t byte)
{
    const int digit = g_ascii_xdigit_value((char)byte);
    const bool last = reader->state == RSP_SUM_LOW;
    reader->state = RSP_OUTSIDE;
    if (digit < 0)
        return RSP_DAMAGED;
    reader->said = (uint8_t)((last ? reader->said << 4 : 0) | digit);
    if (!last) {
        reader->state = RSP_SUM_LOW;
        return RSP_NOTHING;
    }
    if (reader->said != reader->sum || reader->overlong || reader->escaped)
        return RSP_DAMAGED;
    reader->data[reader->size] = 0;
    return RSP_PACKET;
}

enum rsp_news rsp_byte(struct rsp_reader *reader, uint8_t byte)
{
    switch (reader->state) {
    case RSP_OUTSIDE:
        return outside(reader, byte);
    case RSP_INSIDE:
        return inside(reader, byte);
    default:
        return sum(reader, byte);
    }
}

static void append(GByteArray *out, uint8_t byte)
{
    g_byte_array_append(out, &byte, 1);
}

void rsp_packet(GByteArray *out, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t total = 0;
    append(out, '$');
    const guint begin = out->len;
    for (size_t i = 0; i < size; i++) {
        const bool special = strchr("#$}*", bytes[i]) != NULL && bytes[i] != 0;
        if (special)
            append(out, ESCAPE);
        append(out, special ? bytes[i] ^ ESCAPE_XOR : bytes[i]);
    }
    for (guint i = begin; i < out->len; i++)
        total = (uint8_t)(total + out->data[i]);
    char end[4];
    g_snprintf(end, sizeof end, "#%02x", total);
    g_byte_array_append(out, (const guint8 *)end, 3);
}

void rsp_hex(GString *out, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        g_string_append_printf(out, "%02x", ((const uint8_t *)bytes)[i]);
}

bool rsp_unhex(const char *text, size_t digits, uint8_t *bytes, size_t size)
{
    if (digits % 2 != 0 || digits / 2 > size)
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        const int high = g_ascii_xdigit_value(text[i]), low = g_ascii_xdigit_value(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool rsp_number(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t value = 0;
    for (; g_ascii_isxdigit(*at); at++) {
        if (value >> 60 != 0)
            return false;
        value = value << 4 | (uint64_t)g_ascii_xdigit_value(*at);
    }
    const bool any = at != *text;
    *text = at;
    *number = value;
    return any;
}
