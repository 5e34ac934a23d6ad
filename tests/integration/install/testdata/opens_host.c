/* Opens a library like an interpreter opens its extension modules: opens_host LIBRARY FILE... */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char** argv) {
  void* library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  int (*load)(int, char**) = library ? (int (*)(int, char**))dlsym(library, "LoadPlugins") : NULL;
  if (!load) return fprintf(stderr, "%s\n", dlerror()), 3;
  return load(argc - 2, argv + 2);
}
