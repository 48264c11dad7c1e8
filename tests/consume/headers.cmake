# Compiles the public headers that PATTERN names, each alone, their folder a plain -I so that no warning is hidden:
#   cmake -D COMPILER=g++ -D PATTERN=*.h -D INCLUDE=include -D EIGEN=/usr/include/eigen3 -D SCRATCH=out -P headers.cmake
file(GLOB_RECURSE headers RELATIVE ${INCLUDE} ${INCLUDE}/${PATTERN})
list(LENGTH headers count)
if(count EQUAL 0)
  message(FATAL_ERROR "no headers in ${INCLUDE}")
endif()
file(MAKE_DIRECTORY ${SCRATCH})
set(commands "")
foreach(header IN LISTS headers)
  string(MAKE_C_IDENTIFIER ${header} name)
  file(WRITE ${SCRATCH}/${name}.cpp "#include \"${header}\"\n#include \"${header}\"\n")
  string(APPEND commands "${SCRATCH}/${name}.cpp\n")
endforeach()
file(WRITE ${SCRATCH}/list ${commands})
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
execute_process(
  COMMAND xargs -P ${cores} -n 1 ${COMPILER} -std=c++20 -fopenmp -fsyntax-only -Wall -Wextra -Wconversion -Wshadow
    -Wpedantic -Werror -I${INCLUDE} -isystem ${EIGEN}
  INPUT_FILE ${SCRATCH}/list RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${COMPILER}: a header does not compile alone, or with a warning")
endif()
message(STATUS "${count} headers compile alone with ${COMPILER}")
