/* Preloaded into a program (LD_PRELOAD): kills it (SIGKILL) at one of its file operations.
 *
 *   KILL_BELOW=TEXT  acts on paths that hold this text are counted
 *   KILL_AT=N        the N-th of them does not happen, or only by half where it writes; 0: none
 *   KILL_LOG=FILE    receives a line for each act: what it was, and the path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long acts;

static int is_watched(const char* path) {
  const char* below = getenv("KILL_BELOW");
  return below != NULL && path != NULL && strstr(path, below) != NULL;
}

static const char* path_of(int file, char* buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t count = readlink(link, buffer, size - 1);
  if (count < 0) return NULL;
  buffer[count] = '\0';
  return buffer;
}

/* Whether the program is to be killed at this operation. */
static int is_the_one(const char* what, const char* path) {
  if (!is_watched(path)) return 0;
  const long number = atomic_fetch_add(&acts, 1) + 1;
  const char* log = getenv("KILL_LOG");
  if (log != NULL) {
    char line[4200];
    const int size = snprintf(line, sizeof(line), "%s %s\n", what, path);
    const long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file >= 0) {
      syscall(SYS_write, file, line, size);
      syscall(SYS_close, file);
    }
  }
  const char* at = getenv("KILL_AT");
  return at != NULL && atol(at) == number;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void* bytes, size_t count) {
  char buffer[4096];
  if (is_the_one("write", path_of(file, buffer, sizeof(buffer)))) {
    REAL(write)(file, bytes, count / 2);
    die();
  }
  return REAL(write)(file, bytes, count);
}

ssize_t pwrite(int file, const void* bytes, size_t count, off_t offset) {
  char buffer[4096];
  if (is_the_one("pwrite", path_of(file, buffer, sizeof(buffer)))) {
    REAL(pwrite)(file, bytes, count / 2, offset);
    die();
  }
  return REAL(pwrite)(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void* bytes, size_t count, off64_t offset) {
  char buffer[4096];
  if (is_the_one("pwrite", path_of(file, buffer, sizeof(buffer)))) {
    REAL(pwrite64)(file, bytes, count / 2, offset);
    die();
  }
  return REAL(pwrite64)(file, bytes, count, offset);
}

ssize_t writev(int file, const struct iovec* pieces, int count) {
  char buffer[4096];
  if (is_the_one("write", path_of(file, buffer, sizeof(buffer)))) {
    REAL(writev)(file, pieces, count / 2);
    die();
  }
  return REAL(writev)(file, pieces, count);
}

int fsync(int file) {
  char buffer[4096];
  if (is_the_one("fsync", path_of(file, buffer, sizeof(buffer)))) die();
  return REAL(fsync)(file);
}

int ftruncate(int file, off_t length) {
  char buffer[4096];
  if (is_the_one("ftruncate", path_of(file, buffer, sizeof(buffer)))) die();
  return REAL(ftruncate)(file, length);
}

int rename(const char* from, const char* to) {
  if (is_the_one("rename", from)) die();
  return REAL(rename)(from, to);
}

int mkdir(const char* path, mode_t mode) {
  if (is_the_one("mkdir", path)) die();
  return REAL(mkdir)(path, mode);
}

int rmdir(const char* path) {
  if (is_the_one("rmdir", path)) die();
  return REAL(rmdir)(path);
}

int unlink(const char* path) {
  if (is_the_one("unlink", path)) die();
  return REAL(unlink)(path);
}

int unlinkat(int folder, const char* path, int flags) {
  char buffer[4096];
  const char* at = folder == AT_FDCWD ? path : path_of(folder, buffer, sizeof(buffer));
  if (is_the_one("unlink", at)) die();
  return REAL(unlinkat)(folder, path, flags);
}

int remove(const char* path) {
  if (is_the_one("unlink", path)) die();
  return REAL(remove)(path);
}
