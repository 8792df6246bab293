# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# Each folder tests/<name>/ with *_test.cpp files becomes <name>_tests, labelled <name>. A folder with
# a CMakeLists.txt of its own says itself what it needs; it may call stele_test() and stele_test_code().

include(GoogleTest)

# These run under ThreadSanitizer, too: label "concurrent", target concurrent_tests. RocksDB and SQLite come compiled
# without it: what they do to memory is left out (ignore_interceptors_accesses in CMakePresets.json), their locks are
# seen. A suppression called_from_lib would hide the locks as well, and report what they guard.
set(stele_concurrent_tests aggregate cache contract database documents events isolation search_threads
                           transaction vector_threads)
add_custom_target(concurrent_tests)

# How test code is compiled: our flags, the inside of the engine, the stores under it.
function(stele_test_code target)
  stele_own_code(${target})
  stele_uses_engine(${target})
  # Compiles in a quarter of the time; the library is what is tested.
  target_compile_options(${target} PRIVATE -O0 -U_FORTIFY_SOURCE)
  if(STELE_UNITY)  # of tests the function's name is enough; the presets for work have lines
    target_compile_options(${target} PRIVATE -g0)
  endif()
  if(STELE_SANITIZE MATCHES undefined)
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined)
  endif()
  target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS STELE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_options(${target} PRIVATE ${stele_link_options})
  target_link_libraries(${target} PRIVATE stele_internal)
  if(TARGET stele_program)
    target_compile_definitions(${target} PRIVATE STELE_PROGRAM="$<TARGET_FILE:stele_program>")
    add_dependencies(${target} stele_program)
  endif()
endfunction()

# GoogleTest's header takes longer to read than most tests to compile: read once for all.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/test_headers.cpp CONTENT "int main() {}\n")
add_executable(test_headers ${PROJECT_BINARY_DIR}/test_headers.cpp)
stele_test_code(test_headers)
target_link_libraries(test_headers PRIVATE GTest::gtest)
stele_precompile(test_headers <gtest/gtest.h>)

# What several test programs share, compiled once.
function(stele_test_library name)
  add_library(${name} STATIC ${ARGN})
  stele_test_code(${name})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIE -fpch-preprocess)  # as the programs: they share precompiled headers
  target_precompile_headers(${name} REUSE_FROM test_headers)
  target_link_libraries(${name} PRIVATE GTest::gtest)
  stele_unity(${name})
endfunction()

# A gtest executable <name>_tests of all .cpp files of tests/<name>/, and its entries in ctest: one
# for each test, or with a sanitizer, where starting a process is dear, one for the executable.
# LABELS come beside <name>; TIMEOUT is for one test, in seconds.
function(stele_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LABELS;SOURCES;LIBRARIES")
  set(target ${name}_tests)
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*.cpp)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  set(labels ${name} ${arg_LABELS})
  add_executable(${target} ${arg_SOURCES})
  stele_test_code(${target})
  target_compile_options(${target} PRIVATE -fpch-preprocess)
  target_precompile_headers(${target} REUSE_FROM test_headers)
  stele_unity(${target})
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gtest_main ${arg_LIBRARIES})
  if(name IN_LIST stele_concurrent_tests)
    list(APPEND labels concurrent)
    add_dependencies(concurrent_tests ${target})
  endif()
  if(STELE_SANITIZE)
    add_test(NAME ${name} COMMAND ${target})
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 1200)
  else()
    gtest_discover_tests(${target} TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${arg_TIMEOUT})
    # gtest_discover_tests cannot pass a list on as one property.
    set(script ${CMAKE_CURRENT_BINARY_DIR}/${target}_labels.cmake)
    file(CONFIGURE OUTPUT ${script} @ONLY CONTENT [[
if(@target@_TESTS)
  set_tests_properties(${@target@_TESTS} PROPERTIES LABELS "@labels@")
endif()
]])
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${script})
  endif()
endfunction()

file(GLOB folders RELATIVE ${PROJECT_SOURCE_DIR}/tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/*)
foreach(folder ${folders})
  if(EXISTS ${PROJECT_SOURCE_DIR}/tests/${folder}/CMakeLists.txt)
    add_subdirectory(tests/${folder})
  else()
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${folder}/*_test.cpp)
    if(sources)
      stele_test(${folder})
    endif()
  endif()
endforeach()
