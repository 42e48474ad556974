/* Counts, records and disturbs the system calls that change files below one folder.

   Loaded with LD_PRELOAD; does nothing until `calls_arm` is called in the process. One lock is held
   over each call and its record, so that records stand in the order in which things happened. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WATCH, KILL_BEFORE, KILL_AFTER, FULL, FULL_AFTER_HALF, SYNC_FAILS };
enum { DO = 0, REFUSE = 1, HALF = 2, DIE = 3 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static int armed, record = -1, mode;
static long target, calls, syncs, refused;

struct head {
  char what; /* w write, s sync, t truncate, c create, d mkdir, u unlink, r rename, n note */
  char pad[3];
  int32_t path_bytes;
  int64_t offset, data_bytes;
};

static void put(char what, const char *path, int64_t offset, const void *data, int64_t bytes) {
  struct head h = {what, {0}, (int32_t)strlen(path), offset, bytes};
  struct iovec parts[3] = {{&h, sizeof h},
                           {(void *)path, strlen(path)},
                           {(void *)data, (size_t)bytes}};
  if (record >= 0) syscall(SYS_writev, record, parts, 3);
}

static int below(const char *path) {
  size_t n = strlen(folder);
  return strncmp(path, folder, n) == 0 && (path[n] == 0 || path[n] == '/');
}

/* The path of an open file, where it lies below the folder. */
static int place(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, PATH_MAX - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return below(path);
}

/* What becomes of the next call. */
static int decide(char what) {
  calls++;
  if (what == 's') syncs++;
  int grows = what == 'w' || what == 't' || what == 'c' || what == 'd';
  switch (mode) {
  case KILL_BEFORE:
    if (calls == target) kill(getpid(), SIGKILL);
    return DO;
  case KILL_AFTER:
    return calls == target ? DIE : DO;
  case FULL:
  case FULL_AFTER_HALF:
    if (calls < target || !grows) return DO;
    errno = ENOSPC;
    return refused++ || mode == FULL || what != 'w' ? REFUSE : HALF;
  case SYNC_FAILS:
    if (what != 's' || syncs != target) return DO;
    refused++;
    errno = EIO;
    return REFUSE;
  }
  return DO;
}

static void after(int fate) {
  if (fate == DIE) kill(getpid(), SIGKILL);
}

static ssize_t write_at(int fd, const void *data, size_t bytes, off64_t offset, int moves,
                        const char *path) {
  pthread_mutex_lock(&lock);
  ssize_t done = -1;
  int fate = decide('w');
  if (fate == HALF) bytes /= 2;
  if (fate != REFUSE) {
    if (moves) offset = lseek64(fd, 0, SEEK_CUR);
    done = moves ? syscall(SYS_write, fd, data, bytes)
                 : syscall(SYS_pwrite64, fd, data, bytes, offset);
    if (done > 0) put('w', path, offset, data, done);
  }
  int kept = errno;
  after(fate);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return done;
}

ssize_t write(int fd, const void *data, size_t bytes) {
  char path[PATH_MAX];
  if (!armed || !place(fd, path)) return syscall(SYS_write, fd, data, bytes);
  return write_at(fd, data, bytes, 0, 1, path);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset) {
  char path[PATH_MAX];
  if (!armed || !place(fd, path)) return syscall(SYS_pwrite64, fd, data, bytes, offset);
  return write_at(fd, data, bytes, offset, 0, path);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset) {
  return pwrite64(fd, data, bytes, offset);
}

static int simple(char what, const char *path, int64_t number, const char *other, long call, long a,
                  long b) {
  pthread_mutex_lock(&lock);
  int done = -1, fate = decide(what);
  if (fate != REFUSE) {
    done = (int)syscall(call, a, b);
    if (done >= 0) put(what, path, number, other, (int64_t)strlen(other));
  }
  int kept = errno;
  after(fate);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return done;
}

int fsync(int fd) {
  char path[PATH_MAX];
  if (!armed || !place(fd, path)) return (int)syscall(SYS_fsync, fd);
  return simple('s', path, 0, "", SYS_fsync, fd, 0);
}

int fdatasync(int fd) {
  char path[PATH_MAX];
  if (!armed || !place(fd, path)) return (int)syscall(SYS_fdatasync, fd);
  return simple('s', path, 0, "", SYS_fdatasync, fd, 0);
}

int ftruncate64(int fd, off64_t size) {
  char path[PATH_MAX];
  if (!armed || !place(fd, path)) return (int)syscall(SYS_ftruncate, fd, size);
  return simple('t', path, size, "", SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
  if (!armed || !below(path)) return (int)syscall(SYS_unlink, path);
  return simple('u', path, 0, "", SYS_unlink, (long)path, 0);
}

int mkdir(const char *path, mode_t bits) {
  if (!armed || !below(path)) return (int)syscall(SYS_mkdir, path, bits);
  return simple('d', path, 0, "", SYS_mkdir, (long)path, bits);
}

int rename(const char *path, const char *to) {
  if (!armed || !below(path)) return (int)syscall(SYS_rename, path, to);
  return simple('r', path, 0, to, SYS_rename, (long)path, (long)to);
}

static int open_one(const char *path, int flags, mode_t bits) {
  struct stat found;
  if (!armed || !(flags & O_CREAT) || !below(path) || stat(path, &found) == 0)
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, bits);
  pthread_mutex_lock(&lock);
  int fd = -1, fate = decide('c');
  if (fate != REFUSE) {
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, bits);
    if (fd >= 0) put('c', path, 0, "", 0);
  }
  int kept = errno;
  after(fate);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return fd;
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t bits = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_one(path, flags, bits);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t bits = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  return open_one(path, flags, bits);
}

/* What the tests call. `from` counts from 1: calls, or syncs where a sync fails. */
void calls_arm(const char *where, int to, int how, long from) {
  snprintf(folder, sizeof folder, "%s", where);
  record = to;
  mode = how;
  target = from;
  calls = syncs = refused = 0;
  armed = 1;
}

void calls_release(void) { mode = WATCH; }

long calls_refused(void) { return refused; }

void calls_note(const char *text) {
  pthread_mutex_lock(&lock);
  put('n', text, 0, "", 0);
  pthread_mutex_unlock(&lock);
}
