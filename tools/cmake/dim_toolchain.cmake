# Compiler settings of every target: warnings are errors, ccache and mold are used where present.
option(DIM_WARNINGS_AS_ERRORS "Stop at the first warning" ON)
set(DIM_SANITIZE "" CACHE STRING "address or thread: instruments every target")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

# GCC 12 at -O2 reports false -Wrestrict on std::string concatenation.
add_compile_options(-Wall -Wextra -Wno-restrict $<$<BOOL:${DIM_WARNINGS_AS_ERRORS}>:-Werror>)

find_program(DIM_CCACHE ccache)
if(DIM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers need these two relaxations, and no others.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros ${DIM_CCACHE})
  add_compile_options(-fpch-preprocess)
endif()
find_program(DIM_MOLD mold)
if(DIM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

if(DIM_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(DIM_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
endif()
