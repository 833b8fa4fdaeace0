#!/bin/sh
# check-paths.sh - what the documents name exists: `folder/file` and
# `folder/pattern*` in the tree, [text](path) links, and every `bl_function()`.
set -eu
export LC_ALL=C
status=0
fail() {
    echo "$1"
    status=1
}

for doc in *.md doc/*.md doc/*/*.md; do
    [ -f "$doc" ] || continue
    # shellcheck disable=SC2016 # a backtick is a backtick
    grep -no '`[^`]*`' "$doc" | sed 's/`//g' | while IFS=: read -r line token; do
        case $token in
        build/* | *' '* | *'<'* | *NAME* | *[{}\$\|]*) ;;
        .ci/* | [a-z]*/*) echo "$line path ${token%%:*}" ;;
        bl_*'()') echo "$line function ${token%'()'}" ;;
        esac
    done >"${TMPDIR:-/tmp}/paths.$$"
    grep -no ']([^)#]*' "$doc" | sed 's/](//' | while IFS=: read -r line target; do
        case $target in
        http:* | https:* | '') ;;
        *) echo "$line path $(dirname "$doc")/$target" ;;
        esac
    done >>"${TMPDIR:-/tmp}/paths.$$"
    while read -r line kind name; do
        top=${name%%/*}
        case $kind in
        path)
            # Only what starts with a folder of ours is a path of ours.
            [ -d "$top" ] || continue
            # shellcheck disable=SC2086 # a pattern is meant to expand
            ls -d $name >/dev/null 2>&1 || fail "$doc:$line: no such path: $name"
            ;;
        function)
            grep -qrw --include='*.[ch]' "$name" -- */ ||
                fail "$doc:$line: no such function: $name()"
            ;;
        esac
    done <"${TMPDIR:-/tmp}/paths.$$"
    rm -f "${TMPDIR:-/tmp}/paths.$$"
done
exit $status
