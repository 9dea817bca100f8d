#!/bin/bash
#@ limit=240
# A real gdb on the second architecture under TCG.
command -v qemu-img >/dev/null || {
    echo "no qemu-img: apt install qemu-utils"
    exit 77
}
exec "$(dirname "$0")/../gdb-tests" qemu-x86_64 200
