# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# How our own code is compiled. Everything is set per target and PRIVATE: a program that builds Stele
# with add_subdirectory, or links it installed, gets none of these flags.

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()
  find_program(CCACHE ccache)
  if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Otherwise it leaves everything that uses a precompiled header to the compiler.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  endif()
  if(STELE_SANITIZE)
    # The whole tree must agree on these, so they are the one exception to "per target".
    add_compile_options(-fsanitize=${STELE_SANITIZE} -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${STELE_SANITIZE})
    if(STELE_SANITIZE MATCHES undefined)
      add_compile_options(-fno-sanitize-recover=undefined)
    endif()
    if(STELE_SANITIZE MATCHES "address.*undefined")
      # ASan reports the bad accesses that these would announce; they are a third of the compile time.
      add_compile_options(-fno-sanitize=null,object-size,vptr)
    endif()
  endif()
endif()

set(stele_hardening -fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|i.86")
  list(APPEND stele_hardening -fcf-protection)
endif()
set(stele_link_options LINKER:-z,relro,-z,now LINKER:--as-needed)

function(stele_own_code target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/engine/include)
  # The linker's version script decides what the shared library shows, so nothing may be interposed.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                                           -fvisibility-inlines-hidden -fno-semantic-interposition)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # a tenth of its time goes to collecting garbage in less than a gigabyte
    target_compile_options(${target} PRIVATE --param=ggc-min-heapsize=1000000)
  endif()
  # These two of g++ 12 warn of ordinary string assignments (GCC bug 105651).
  target_compile_options(${target} PRIVATE -Wno-restrict -Wno-stringop-overflow)
  # With a sanitizer's instrumentation more warnings are wrong, and another project's build is not to stop at one.
  if(PROJECT_IS_TOP_LEVEL AND NOT STELE_SANITIZE)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(NOT STELE_SANITIZE)
    target_compile_options(${target} PRIVATE ${stele_hardening})
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  endif()
  # The library itself is measured without them in a release build.
  target_compile_definitions(${target} PRIVATE $<$<NOT:$<CONFIG:Release>>:_GLIBCXX_ASSERTIONS>)
endfunction()

# Headers read once for all files of a target: they take half of the time of most. Each file includes what it needs
# all the same; the debug preset builds without these, and finds the one that does not.
set(stele_common_headers <algorithm> <atomic> <chrono> <condition_variable> <functional> <map> <memory> <mutex> <optional>
                         <shared_mutex> <string> <string_view> <thread> <variant> <vector>)
function(stele_precompile target)
  target_compile_options(${target} PRIVATE -fpch-preprocess)  # or ccache leaves them to the compiler
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# The same for several targets that are compiled alike: by `first`, where there is one, for the others, too.
function(stele_precompile_once target first)
  if(target STREQUAL first OR NOT TARGET ${first})
    stele_precompile(${target} ${ARGN})
  else()
    target_compile_options(${target} PRIVATE -fpch-preprocess)
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# The files of a folder compiled together: a build from nothing takes half the time, a changed file more, so a
# developer's preset leaves it out. What stands in a nameless namespace must then differ within a folder.
option(STELE_UNITY "Compile the files of a folder together" OFF)
# These use a name that means something else in another file; value.cpp keeps the frames of its recursion small.
set(stele_not_unity
    backends/hnsw/graph.cpp engine/distance/kernels_x86.cpp engine/model/value.cpp)
function(stele_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${STELE_UNITY} UNITY_BUILD_MODE GROUP)
  if(STELE_UNITY)
    # The second takes what a file keeps to itself for what a header does.
    target_compile_options(${target} PRIVATE -Wno-shadow -Wno-subobject-linkage)
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    stele_unity_group(group ${source})
    if(group)
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP "${group}")
    endif()
  endforeach()
endfunction()

# The folder, of a large one a part; empty for what is compiled for itself.
function(stele_unity_group out source)
  cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE path)
  cmake_path(GET path PARENT_PATH group)
  if(path IN_LIST stele_not_unity OR group IN_LIST stele_not_unity)
    set(group "")
  elseif(path MATCHES "^engine/model/expression")
    set(group engine/model/expression)
  endif()
  string(MAKE_C_IDENTIFIER "${group}" group)
  set(${out} "${group}" PARENT_SCOPE)
endfunction()

# A program <target>: every .cpp of a folder. All but main.cpp are also there for its tests, as <target>_parts.
function(stele_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER;OUTPUT" "LIBRARIES")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/*.cpp)
  set(main ${PROJECT_SOURCE_DIR}/${arg_FOLDER}/main.cpp)
  list(REMOVE_ITEM sources ${main})
  add_library(${target}_parts STATIC ${sources})
  add_executable(${target} ${main})
  foreach(part ${target}_parts ${target})
    stele_own_code(${part})
    target_compile_definitions(${part} PRIVATE _GLIBCXX_ASSERTIONS)
    target_link_libraries(${part} PRIVATE stele_internal ${arg_LIBRARIES})
  endforeach()
  if(CLI11::CLI11 IN_LIST arg_LIBRARIES)  # costs the optimizer 20 seconds, for what runs once
    target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
    stele_precompile_once(${target} stele_program <CLI/CLI.hpp> <fmt/format.h>)
  endif()
  stele_precompile_once(${target}_parts stele_program_parts ${stele_common_headers})
  stele_unity(${target}_parts)
  target_link_libraries(${target} PRIVATE ${target}_parts)
  target_link_options(${target} PRIVATE ${stele_link_options})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_OUTPUT})
endfunction()
