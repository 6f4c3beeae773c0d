# One function for each kind of target, so that a folder's CMakeLists.txt is a list of files.

# With DIM_ONLY_PURE a library or program is built only where a chosen test needs it.
if(DIM_ONLY_PURE)
  set(dim_exclude EXCLUDE_FROM_ALL)
endif()

# Headers in angle brackets, or paths from the root.
function(dim_precompile target)
  foreach(header IN LISTS ARGN)
    if(NOT header MATCHES "^<")
      set(header "\"${header}\"")
    endif()
    target_precompile_headers(${target} PRIVATE ${header})
  endforeach()
endfunction()

# dim_library(runtime SOURCES a.cpp LINKS PUBLIC x PRIVATE y PRECOMPILE <caf/all.hpp>):
# target dim_runtime, alias dim::runtime.
function(dim_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRECOMPILE" ${ARGN})
  add_library(dim_${name} STATIC ${dim_exclude} ${arg_SOURCES})
  add_library(dim::${name} ALIAS dim_${name})
  target_include_directories(dim_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(dim_${name} ${arg_LINKS})
  dim_precompile(dim_${name} ${arg_PRECOMPILE})
endfunction()

# dim_program(dimd SOURCES main.cpp LINKS dim::gateway): an executable in build/<preset>/bin.
function(dim_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;PRECOMPILE" ${ARGN})
  add_executable(${name} ${dim_exclude} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  dim_precompile(${name} ${arg_PRECOMPILE})
endfunction()

# A request's memory is taken by one thread and given back by another, which costs jemalloc less
# than glibc; and it keeps the large blocks of a forward for the next one, where glibc gives them
# back and has them cleared anew. Sanitizers bring an allocator of their own.
function(dim_fast_allocator program)
  if(NOT DIM_SANITIZE)
    find_library(JEMALLOC_LIBRARY jemalloc REQUIRED)
    target_link_libraries(
      ${program} PRIVATE -Wl,--no-as-needed ${JEMALLOC_LIBRARY} -Wl,--as-needed)
  endif()
endfunction()

# dim_test(runtime_test SOURCES a_test.cpp LINKS dim::runtime LABELS pure): a doctest program, run
# by ctest as one test. tests/support/main.cpp holds its main. NEEDS names the programs that it
# starts. Labels with a meaning:
#   pure     starts no actor system: what DIM_ONLY_PURE (the thread sanitizer) keeps
#   cluster  starts processes: runs alone
#   long     runs only when asked for (tools/test --long)
function(dim_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINKS;LABELS;PRECOMPILE;NEEDS" ${ARGN})
  if(DIM_ONLY_PURE AND NOT "pure" IN_LIST arg_LABELS)
    return()
  endif()
  if(NOT TARGET dim_test_main)
    add_library(dim_test_main OBJECT ${CMAKE_SOURCE_DIR}/tests/support/main.cpp)
    target_link_libraries(dim_test_main PUBLIC doctest::doctest)
  endif()
  dim_program(${name} SOURCES ${arg_SOURCES} LINKS ${arg_LINKS} dim_test_main
              PRECOMPILE ${arg_PRECOMPILE})
  # A test's own code is run once and compiled often: without optimisation that takes a third.
  target_compile_options(${name} PRIVATE -O0)
  set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL FALSE
                        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(${name} PRIVATE DIM_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                             DIM_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS "doctest;${arg_LABELS}")
  if(arg_NEEDS)
    add_dependencies(${name} ${arg_NEEDS})
  endif()
  if("cluster" IN_LIST arg_LABELS)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
  endif()
endfunction()

# dim_script_test(check_tidy tools/check_tidy.py): a Python program, which counts as one test case.
function(dim_script_test name script)
  add_test(NAME ${name} COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/${script}
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()
