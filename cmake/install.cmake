# Copyright The Stele authors. SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` lays down: the shared library, the public headers, the files by which CMake
# and pkg-config find them, and the stele program.

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/stele)

install(TARGETS stele EXPORT stele_targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY engine/include/stele DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT stele_targets NAMESPACE stele:: FILE steleTargets.cmake DESTINATION ${package_dir})

configure_package_config_file(cmake/steleConfig.cmake.in ${PROJECT_BINARY_DIR}/steleConfig.cmake
                              INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/steleConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/steleConfig.cmake ${PROJECT_BINARY_DIR}/steleConfigVersion.cmake
        DESTINATION ${package_dir})

# Relative, so that the tree may be moved or installed under another prefix.
file(RELATIVE_PATH up_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" up_from_pkgconfig "${up_from_pkgconfig}")
configure_file(cmake/stele.pc.in ${PROJECT_BINARY_DIR}/stele.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/stele.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET stele_program)
  install(TARGETS stele_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
