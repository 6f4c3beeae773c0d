# Compiler settings of every target: warnings are errors, ccache and mold are used where present.
option(DIM_WARNINGS_AS_ERRORS "Stop at the first warning" ON)
option(DIM_ONLY_PURE "Build only the tests that start no actor system, and what they need" OFF)
set(DIM_SANITIZE "" CACHE STRING "address (with undefined behaviour) or thread; empty: none")
set_property(CACHE DIM_SANITIZE PROPERTY STRINGS "" address thread)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# Line numbers are enough for a stack trace; full debug information doubles build time and size.
# The libraries' own assertions are for the trees of the sanitizers.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
if(NOT DIM_SANITIZE)
  string(APPEND CMAKE_CXX_FLAGS_RELWITHDEBINFO " -DNDEBUG")
endif()

# False alarms: GCC 12 at -O2 reports -Wrestrict on std::string concatenation, GCC 13 and later
# report -Wdangling-reference on functions that return a part of one argument.
add_compile_options(-Wall -Wextra -Wno-restrict $<$<BOOL:${DIM_WARNINGS_AS_ERRORS}>:-Werror>)
if(CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  add_compile_options(-Wno-dangling-reference)
endif()

find_program(DIM_CCACHE ccache)
if(DIM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/cached_compiler)
  add_compile_options(-fpch-preprocess)
endif()
find_program(DIM_MOLD mold)
if(DIM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(DIM_SANITIZE STREQUAL "address")
  # CAF binds a reference to no tuple where an actor is spawned without arguments. What a sanitizer
  # puts into optimised code makes GCC report values as uninitialised that are not.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null
                      -fno-sanitize-recover=undefined -fno-omit-frame-pointer
                      -Wno-maybe-uninitialized)
  add_link_options(-fsanitize=address,undefined)
elseif(DIM_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  # The sanitizer does not know fences. Asio's handlers need none where a lock hands them on.
  add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  add_link_options(-fsanitize=thread)
elseif(DIM_SANITIZE)
  message(FATAL_ERROR "DIM_SANITIZE is '${DIM_SANITIZE}': use address, thread or nothing")
endif()
