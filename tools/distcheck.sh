#!/bin/sh
# distcheck.sh TARBALL DIR - the tarball alone must build, pass its tests,
# install, serve a program that uses the library, and uninstall without a trace.
set -eu
tarball=$1 dir=$2
rm -rf "$dir"
mkdir -p "$dir/prefix"
tar -xzf "$tarball" -C "$dir"
top=$(pwd)/$dir
case $dir in /*) top=$dir ;; esac
prefix=$top/prefix
cd "$dir"/ballast-*/
make check
make install PREFIX="$prefix"
"$prefix/bin/ballast" --version

cat >"$top/user.c" <<'END'
#include <base/units.h>
int main(void)
{
    const char *why;
    int64_t v = 0;
    return bl_units_parse(BL_DIM_BYTES, "4KiB", &v, &why) != BL_ERR_OK ||
           v != 4096;
}
END
# shellcheck disable=SC2046 # one word per flag
cc -std=c17 -Wall -Werror -o "$top/user" "$top/user.c" \
    $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs ballast)
"$top/user"

make uninstall PREFIX="$prefix"
left=$(find "$prefix" -type f)
[ -z "$left" ] || {
    echo "uninstall left: $left" >&2
    exit 1
}
echo "distcheck: ok"
