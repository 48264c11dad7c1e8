# Packs the build as a .deb, installs and removes it below a scratch root, and looks at what was there and what is left:
#   cmake -D BUILD=build/release -D SCRATCH=folder -P package.cmake
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH}/system/var/lib/dpkg/info ${SCRATCH}/system/var/lib/dpkg/updates
  ${SCRATCH}/system/var/lib/dpkg/triggers)
file(TOUCH ${SCRATCH}/system/var/lib/dpkg/status ${SCRATCH}/system/var/lib/dpkg/available)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "${ARGN}: ${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(cpack --config ${BUILD}/CPackConfig.cmake -G DEB -B ${SCRATCH})
file(GLOB package ${SCRATCH}/libfixtune-dev_*.deb)
run(dpkg-deb --field ${package} Depends)
foreach(needed libeigen3-dev libfmt-dev nlohmann-json3-dev libdnnl-dev libicu-dev)
  if(NOT output MATCHES ${needed})
    message(FATAL_ERROR "the package does not depend on ${needed}: ${output}")
  endif()
endforeach()

# Into a root of its own, where nothing else is installed.
set(dpkg dpkg --root=${SCRATCH}/system --force-not-root --force-depends --force-architecture --log=/dev/null)
run(${dpkg} --install ${package})
foreach(file include/fixtune/fixtune.h share/doc/fixtune/copyright)
  if(NOT EXISTS ${SCRATCH}/system/usr/${file})
    message(FATAL_ERROR "the package lacks usr/${file}")
  endif()
endforeach()
run(${dpkg} --remove libfixtune-dev)
file(GLOB_RECURSE left ${SCRATCH}/system/usr/*)
if(left)
  message(FATAL_ERROR "left behind: ${left}")
endif()
