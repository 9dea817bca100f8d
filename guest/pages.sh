#!/bin/sh
# From what `readelf -SW` says of images: "SECTION BYTES", the most that any of them needs of each part of
# a program.
sed 's/^ *\[ *[0-9]*\]//' | awk '
    /^ \.[a-z0-9_]+\.(text|data|bss) / && !/^ \.(core|kernel)\./ {
        size = "0x" $5
        if (size > most[$1]) most[$1] = size
    }
    END { for (name in most) print name, most[name] }' | sort
