# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# The engine's libraries come by pkg-config and are linked by path, so that the installed package
# asks its users for none of them.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

set(stele_libraries "")
set(stele_includes "")
foreach(module sqlite3>=3.40 rocksdb>=7.8 simdjson>=3.0 libxxhash>=0.8 re2)
  string(REGEX REPLACE ">.*" "" name ${module})
  pkg_check_modules(STELE_${name} REQUIRED ${module})
  list(APPEND stele_libraries ${STELE_${name}_LINK_LIBRARIES})
  list(APPEND stele_includes ${STELE_${name}_INCLUDE_DIRS})
endforeach()
list(APPEND stele_libraries ${CMAKE_THREAD_LIBS_INIT})

# These bring neither CMake nor pkg-config files. hnswlib is headers only; 0.6.2 to 0.8.0 will do.
find_path(STELE_HNSWLIB_INCLUDE hnswlib/hnswalg.h REQUIRED DOC "Where hnswlib/hnswalg.h is")
find_path(STELE_ROARING_INCLUDE roaring/roaring.h REQUIRED)
find_library(STELE_ROARING_LIBRARY roaring REQUIRED)
list(APPEND stele_includes ${STELE_HNSWLIB_INCLUDE} ${STELE_ROARING_INCLUDE})
list(APPEND stele_libraries ${STELE_ROARING_LIBRARY})
list(REMOVE_DUPLICATES stele_includes)

function(stele_uses_engine target)
  target_include_directories(${target} SYSTEM PRIVATE ${stele_includes})
  target_compile_options(${target} PRIVATE -pthread)
endfunction()

if(STELE_BUILD_TOOLS OR STELE_BUILD_BENCH)
  find_package(fmt REQUIRED)
  find_package(CLI11 REQUIRED)
endif()
if(STELE_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
if(STELE_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
