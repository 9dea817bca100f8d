/* Where a program begins. */

        .equ    STACK_SIZE, 0x2000

/* First instruction of core and of a domain's main thread; other threads bring their own ip and sp.
 * The stack is in the program's bss, mapped before main: it never faults. Its pages hold nothing else,
 * so that which pages are written, and copied after a fork, is not the compiler's choice. */
        .section .text._start, "ax"
        .global _start
        .type   _start, @function
_start:
        .cfi_startproc
        .cfi_undefined rip
        mov     $stack_top, %esp
        call    program_start
        .cfi_endproc

        .bss
        .balign 4096
stack:  .space  STACK_SIZE
stack_top:
