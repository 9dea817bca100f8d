/* Packets one after another, as the writer accepts and the reader returns them. Internal to
 * traces/.
 */
#ifndef FAULTLINE_CTF_PACKET_H
#define FAULTLINE_CTF_PACKET_H

#include "trace.h"

struct ctf_sequence { /* all 0 before the first packet */
    uint64_t time_end;
    uint64_t discarded;
};

/* ctf_packet_check, and that the packet may follow those that went through before. */
bool ctf_sequence_check(struct ctf_sequence *sequence, const struct fl_packet *packet,
                        size_t *n_events, const char **reason);

/* The UUID of a trace, whose own clock or a shared one (NULL: its own) it has. */
void ctf_trace_uuid(const struct ctf_clock *clock, uint8_t uuid[16]);

/* Beside the stream: the checksum of each packet. Readers of CTF pass over names with a dot. */
#define CTF_SUMS ".sums"

/* Checksum of a whole packet: a change within any one 64-bit word of it changes the sum. */
uint64_t ctf_packet_sum(const struct fl_packet *packet);

#endif
