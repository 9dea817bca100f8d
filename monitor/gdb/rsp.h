/* gdb's remote serial protocol, as bytes: packets, checksums, escapes, hexadecimal.
 * (gdb manual, appendix E.1.) Pure functions over bytes; nobody's socket. */
#ifndef FAULTLINE_GDB_RSP_H
#define FAULTLINE_GDB_RSP_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSP_PACKET_MAX 0x4000u /* bytes of a packet's data, escapes resolved */
#define RSP_INTERRUPT  0x03

enum rsp_news {
    RSP_NOTHING,   /* more bytes are needed */
    RSP_PACKET,    /* `data` is one, with a sum that is right */
    RSP_DAMAGED,   /* a packet with a wrong sum, or one too long: to be asked for again */
    RSP_ACK,       /* + */
    RSP_NAK,       /* -: the last packet is to be sent again */
    RSP_INTERRUPTS /* the byte that stands for Ctrl-C */
};

/* What was received and makes no whole packet yet. All zero to begin with. */
struct rsp_reader {
    enum { RSP_OUTSIDE, RSP_INSIDE, RSP_SUM_HIGH, RSP_SUM_LOW } state;
    bool escaped, overlong;
    uint8_t sum, said;
    size_t size;
    uint8_t data[RSP_PACKET_MAX + 1]; /* a packet is followed by a zero byte */
};

/* Takes one byte in. After RSP_PACKET the reader's data and size are the packet, until the next. */
enum rsp_news rsp_byte(struct rsp_reader *reader, uint8_t byte);

/* Appends a packet with these data, framed and escaped. */
void rsp_packet(GByteArray *out, const void *data, size_t size);

/* Appends bytes as hexadecimal digits. */
void rsp_hex(GString *out, const void *bytes, size_t size);
/* The bytes that `digits` hexadecimal digits stand for. false: they do not, or there is no room. */
bool rsp_unhex(const char *text, size_t digits, uint8_t *bytes, size_t size);
/* Reads a hexadecimal number up to the first other character, to which *text then points. false:
 * there is no digit, or more than fit 64 bits. */
bool rsp_number(const char **text, uint64_t *number);

#endif
