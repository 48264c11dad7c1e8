# Builds the outside program as a makefile would, from what pkg-config says, and runs it:
#   cmake -D COMPILER=g++ -D PC=prefix/lib/pkgconfig -D MAIN=main.cpp -D PROGRAM=out -P pkg_config.cmake
set(ENV{PKG_CONFIG_PATH} ${PC})
execute_process(COMMAND pkg-config --static --cflags --libs fixtune OUTPUT_VARIABLE flags COMMAND_ERROR_IS_FATAL ANY
  OUTPUT_STRIP_TRAILING_WHITESPACE)
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${COMPILER} -std=c++20 -O1 ${MAIN} ${flags} -o ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${PROGRAM} COMMAND_ERROR_IS_FATAL ANY)
