# What the lanes about certificates share; sourced after lane.bash.
# shellcheck shell=bash disable=SC2154 # lane.bash sets them
certcheck=build/certcheck

accepted() # CERTIFICATE
{
    expect 0 "$certcheck" --faultline "$faultline" "$1"
    grep -q '^ACCEPTED' "$dir/out" || fail "$1 is not accepted"
    cat "$dir/out"
}

# The certificate that a program makes of the one it reads, with runs numbered and summed up anew.
refused() # WHY CERTIFICATE PROGRAM
{
    awk "$3" "$2" | awk '$1 == "sum" { exit } $1 == "run" { $2 = n++ } { print }' >"$dir/tampered"
    sum=$(sha256sum <"$dir/tampered")
    echo "sum ${sum%% *}" >>"$dir/tampered"
    cmp -s "$2" "$dir/tampered" && fail "$1: nothing was changed"
    expect 1 "$certcheck" --faultline "$faultline" "$dir/tampered"
    grep -q '^REFUSED' "$dir/out" || fail "$1 is not refused"
    echo "$1: $(cat "$dir/out")"
}
