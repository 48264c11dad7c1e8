# What `cmake --install` and `cpack` put where: headers, library, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(FIXTUNE_PACKAGE_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/fixtune)
install(TARGETS fixtune EXPORT fixtune_targets)
install(DIRECTORY include/fixtune DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT fixtune_targets NAMESPACE fixtune:: DESTINATION ${FIXTUNE_PACKAGE_FOLDER} FILE fixtuneTargets.cmake)

configure_package_config_file(cmake/fixtuneConfig.cmake.in fixtuneConfig.cmake
  INSTALL_DESTINATION ${FIXTUNE_PACKAGE_FOLDER} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change what others link.
write_basic_package_version_file(fixtuneConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/fixtuneConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/fixtuneConfigVersion.cmake
  DESTINATION ${FIXTUNE_PACKAGE_FOLDER})

# Relative to the file, so that an installed tree may be moved.
file(RELATIVE_PATH FIXTUNE_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/fixtune.pc.in fixtune.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/fixtune.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_NAME libfixtune-dev)
  set(CPACK_PACKAGE_CONTACT "The fixtune authors <fixtune@example.org>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES OFF)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "g++, libeigen3-dev (>= 3.4), libfmt-dev (>= 9), nlohmann-json3-dev (>= 3.10), libdnnl-dev (>= 2.6), ocl-icd-opencl-dev, libicu-dev")
  include(CPack)
endif()
