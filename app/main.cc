// The `unival` program: small, so that help and errors come at once. It finds and starts the
// programs that hold the commands (libexec/).

#include "app/extensions.h"

int main(int argc, char** argv) { return unival::RunUnival(argc, argv); }
