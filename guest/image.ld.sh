#!/bin/sh
# Writes the linker script of a guest image: image.ld.sh ARCH BUILD_DIR SIZES SCENARIO...
#
# The kernel comes first, at the head of RAM; each program follows page-aligned, loaded there and
# linked at its own virtual address (guest/abi/abi.h). `programs` tells the kernel where its parts
# lie, as struct program_segments (guest/lib/info.h), in the order core, scenarios; `n_scenarios` how
# many there are, as the end of struct fl_image tells the monitor.
# SIZES has lines ".PROGRAM.PART BYTES": no part of a program is smaller than it says.
set -eu
# shellcheck source=guest/arch/armv7/layout.sh
. "$(dirname "$0")/arch/$1/layout.sh"
build=$2
sizes=$3
shift 3

page=0x1000
hot="vectors kernel_trap arch_trap enter trace trace_space packet_next packet_close plan_departure
    entry_point entry_perform dispatch to_user do_ipc_call do_ipc_reply_wait call deliver answer
    copy_message take wait thread_find partner_or_fail caller_of ready unready queue_append queue_remove
    run_next block arch_space_activate do_mark do_lock do_unlock lock_word"
kernel_object="*$build/program/kernel.o"

size() # SECTION
{
    awk -v section="$1" '$1 == section { size = $2 } END { print size ? size : 0 }' "$sizes"
}

# Each part has a symbol of its own for where it is loaded: one that moved on would be read with its
# last value by the table above it.
program() # NAME BASE PREVIOUS_END
{
    object="$build/program/$1.o"
    cat <<EOF
  $1_text_load = $3;
  .$1.text $2 : AT($1_text_load) {
    KEEP(*$object(.text._start))
    *$object(.text .text.* .rodata .rodata.*)
    . = MAX(ALIGN($page), $(size ".$1.text"));
  }
  $1_data_load = $1_text_load + SIZEOF(.$1.text);
  .$1.data ADDR(.$1.text) + SIZEOF(.$1.text) : AT($1_data_load) {
    *$object(.data .data.*)
    . = MAX(ALIGN($page), $(size ".$1.data"));
  }
  $1_bss_load = $1_data_load + SIZEOF(.$1.data);
  .$1.bss ADDR(.$1.data) + SIZEOF(.$1.data) (NOLOAD) : AT($1_bss_load) {
    *$object(.bss .bss.* COMMON)
    . = MAX(ALIGN($page), $(size ".$1.bss"));
  }
  $1_end_load = $1_bss_load + SIZEOF(.$1.bss);
EOF
}

segments() # NAME
{
    cat <<EOF
    LONG(ADDR(.$1.text)) LONG(($1_text_load - $ram) / $page) LONG(SIZEOF(.$1.text) / $page)
    LONG(ADDR(.$1.data)) LONG(($1_data_load - $ram) / $page) LONG(SIZEOF(.$1.data) / $page)
    LONG(ADDR(.$1.bss)) LONG(SIZEOF(.$1.bss) / $page)
    LONG(ADDR(.$1.text))
EOF
}

cat <<EOF
ENTRY(entry)
SECTIONS
{
  . = $ram + $kernel + $first;
  .kernel.text : AT(ADDR(.kernel.text) - $kernel) {
    *(.text.boot)
    . = ALIGN($page);
EOF
for function in $hot; do echo "    $kernel_object(.text.$function)"; done
cat <<EOF
    $kernel_object(.rodata .rodata.*)
    $kernel_object(.text .text.*)
    . = ALIGN(16);
  }
  .kernel.rodata : AT(ADDR(.kernel.rodata) - $kernel) {
    programs = .;
EOF
for name in core "$@"; do segments "$name"; done
cat <<EOF
    n_scenarios = .;
    LONG($#)
    . = ALIGN(16);
  }
  .faultline.image : AT(ADDR(.faultline.image) - $kernel) {
    KEEP(*(.faultline.image))
    LONG($#) LONG(0)
    . = ALIGN(16);
  }
  .faultline.scenarios . - $kernel + $described : AT(ADDR(.faultline.scenarios) - $described) {
EOF
for name; do echo "    KEEP(*$build/program/$name.o(.faultline.scenarios))"; done
cat <<EOF
  }
  .faultline.audit : AT(ADDR(.faultline.audit) - $described) {
    KEEP(*$build/program/core.o(.faultline.audit))
  }
  . = ALIGN(8);
  .faultline.state : AT(ADDR(.faultline.state) - $described) {
    KEEP(*$build/program/kernel.o(.faultline.state))
  }
  scenarios = ADDR(.faultline.scenarios) - $described + $kernel;
  . = . - $described + $kernel;
  .note.pvh : AT(ADDR(.note.pvh) - $kernel) { KEEP(*(.note.pvh)) }
  . = ALIGN($page);
  .kernel.data : AT(ADDR(.kernel.data) - $kernel) {
    $kernel_object(.data .data.*)
    . = ALIGN($page);
  }
  .kernel.bss (NOLOAD) : AT(ADDR(.kernel.bss) - $kernel) {
    *(.tables)
    __bss_start = .;
    . = ALIGN($page);
    *(.bss.stack)
    *(.bss.hot)
    *(.bss.threads)
    $kernel_object(.bss .bss.* COMMON)
    . = ALIGN($page);
    __bss_end = .;
  }
  entry = boot - $kernel;
EOF
program core 0x00100000 "__bss_end - $kernel"
previous=core
base=$((0x01000000))
for name; do
    program "$name" "$(printf '0x%08x' $base)" "${previous}_end_load"
    previous=$name
    base=$((base + 0x100000))
done
cat <<EOF
  ASSERT(${previous}_end_load <= $ram + 0x00400000, "the image reaches into the frame pool")
  .eh_frame 0 (INFO) : { *(.eh_frame) }
  /DISCARD/ : { *(.comment) *(.ARM.exidx*) *(.ARM.extab*) *(.note*) }
}
EOF
