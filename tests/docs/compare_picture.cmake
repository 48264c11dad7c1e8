# Draws a picture of the guide anew: it must be the one that is kept.
execute_process(COMMAND ${PROGRAM} --svg ${DRAWN} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${DRAWN} ${KEPT} RESULT_VARIABLE differs)
if(differs)
  message(FATAL_ERROR "${KEPT} is not what ${PROGRAM} --svg draws")
endif()
