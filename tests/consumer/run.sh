#!/usr/bin/env bash
# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
#   run.sh BUILD_DIRECTORY DIRECTORY COMPILER LIBRARY_FOLDER
#
# Installs the build below DIRECTORY, moves the installed tree, and uses it there as a stranger would.
set -euo pipefail
build=$1 directory=$2 compiler=$3 library_folder=$4
project=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/project

say() { echo "consumer: $*"; }
die() { echo "consumer: error: $*" >&2; exit 1; }

rm -rf "$directory"
mkdir -p "$directory"
say "install"
cmake --install "$build" --prefix "$directory/first" >"$directory/install.log"
mv "$directory/first" "$directory/prefix"
libraries=$directory/prefix/$library_folder

say "nothing installed names the build or the first prefix"
if grep -rl -e "$build" -e "$directory/first" "$libraries/cmake" "$libraries/pkgconfig" "$directory/prefix/include"; then
  die "the files above name a directory of this build"
fi

say "the library shows the public face only"
hidden='stele::(storage|transaction|model|documents|events|catalog|database|sqlite|rocks|memory|detail)::|^rocksdb::|^sqlite3_'
nm --dynamic --defined-only --demangle "$libraries/libstele.so" | cut -d' ' -f3- >"$directory/symbols"
if grep -E "$hidden" "$directory/symbols" | grep -vE '^stele::[A-Z]|^[a-z].* stele::Row::get<'; then
  die "cmake/stele.map lets the symbols above out"
fi
grep -q '^stele::Database::open(' "$directory/symbols" || die "cmake/stele.map hides stele::Database::open"

say "build and run by CMake"
cmake -S "$project" -B "$directory/by_cmake" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$directory/prefix" >"$directory/configure.log" || { cat "$directory/configure.log"; exit 1; }
cmake --build "$directory/by_cmake" -- -j1
"$directory/by_cmake/consumer" "$directory/by_cmake/shop"

say "build and run by pkg-config"
export PKG_CONFIG_PATH=$libraries/pkgconfig
mkdir "$directory/by_pkg_config"
read -ra flags <<<"$(pkg-config --cflags --libs stele)"
"$compiler" -std=c++20 -Wall -Wextra -Werror "$project/main.cpp" "${flags[@]}" "-Wl,-rpath,$libraries" \
  -o "$directory/by_pkg_config/consumer"
"$directory/by_pkg_config/consumer" "$directory/by_pkg_config/shop"
