/* A plugin of tier 2 that is correct except for one thing, given by the option "does" of its
 * modality. "STRUCT.FIELD=NUMBER" writes a number into one field of the values that it returns; the
 * words of the function Act attack the process. HOSTILE_START is a word of Act that is executed
 * when the file is opened. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/abi/unival_plugin.h"

#define STR(literal) \
  { literal, sizeof(literal) - 1 }

UNIVAL_PLUGIN_RECORD("hostile", "1.0.0", "");

/* Appends a line to every in-memory file that the process has open. */
static void Forge(const char* line) {
  for (int file = 3; file < 64; ++file) {
    char link[64], target[64] = {0};
    struct stat about;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    if (readlink(link, target, sizeof(target) - 1) < 0 || strstr(target, "memfd") == NULL) continue;
    if (fstat(file, &about) != 0) continue;
    if (pwrite(file, line, strlen(line), about.st_size < 1024 ? 1024 : about.st_size) < 0) continue;
  }
}

static void Eat(void) {
  for (int i = 0; i < 40; ++i) {
    char* block = malloc(64 << 20);
    if (block != NULL) memset(block, 1, 64 << 20);
  }
  sleep(60);
}

/* Leaves a child process running in a session of its own. */
static void LeaveOne(void) {
  if (fork() != 0) return;
  setsid();
  if (fork() == 0) sleep(60);
  _exit(0);
}

static void Act(const char* what) {
  if (strcmp(what, "exit") == 0) exit(0);
  if (strcmp(what, "_exit") == 0) _exit(0);
  if (strcmp(what, "crash") == 0) raise(SIGFPE);
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "hang") == 0) pause();
  if (strcmp(what, "stop") == 0) raise(SIGSTOP);
  if (strcmp(what, "eat") == 0) Eat();
  if (strcmp(what, "eat in another") == 0 && fork() == 0) Eat();
  if (strcmp(what, "eat in another") == 0) sleep(60);
  if (strcmp(what, "leave one") == 0) LeaveOne();
  if (strcmp(what, "end the group") == 0) kill(0, SIGKILL);
  if (strcmp(what, "forge") == 0) {
    Forge("{\"component\": 7}\n{\"file\": 7}\n");
    _exit(0);
  }
}

#ifdef HOSTILE_START
__attribute__((constructor)) static void Start(void) { Act(HOSTILE_START); }
#endif

struct UnivalSelf {
  const UnivalHost* host;
  char does[64];
};

/* A field of a struct that a number can be written to, by its name. */
typedef struct {
  const char* name;
  size_t at, bytes;
} Field;

#define FIELD(type, field) \
  { #field, offsetof(type, field), sizeof(((type*)0)->field) }

static const Field kInfo[] = {
    FIELD(UnivalModalityInfo, struct_size),         FIELD(UnivalModalityInfo, feature_dim),
    FIELD(UnivalModalityInfo, max_positions),       FIELD(UnivalModalityInfo, position_kind),
    FIELD(UnivalModalityInfo, input_kind),          FIELD(UnivalModalityInfo, feature_schema.data),
    FIELD(UnivalModalityInfo, feature_schema.size), FIELD(UnivalModalityInfo, preprocessing.data),
    FIELD(UnivalModalityInfo, preprocessing.size),  {NULL, 0, 0}};
static const Field kTensors[] = {FIELD(UnivalTensors, struct_size),
                                 FIELD(UnivalTensors, count),
                                 FIELD(UnivalTensors, items),
                                 {NULL, 0, 0}};
static const Field kTensor[] = {FIELD(UnivalTensor, version.major),
                                FIELD(UnivalTensor, version.minor),
                                FIELD(UnivalTensor, deleter),
                                FIELD(UnivalTensor, flags),
                                FIELD(UnivalTensor, dl_tensor.data),
                                FIELD(UnivalTensor, dl_tensor.device.device_type),
                                FIELD(UnivalTensor, dl_tensor.device.device_id),
                                FIELD(UnivalTensor, dl_tensor.ndim),
                                FIELD(UnivalTensor, dl_tensor.dtype.code),
                                FIELD(UnivalTensor, dl_tensor.dtype.bits),
                                FIELD(UnivalTensor, dl_tensor.dtype.lanes),
                                FIELD(UnivalTensor, dl_tensor.shape),
                                FIELD(UnivalTensor, dl_tensor.byte_offset),
                                {NULL, 0, 0}};
static const Field kCall[] = {FIELD(UnivalEncodeCall, features),
                              FIELD(UnivalEncodeCall, padding),
                              FIELD(UnivalEncodeCall, positions),
                              {NULL, 0, 0}};

/* Whether `does` is "NAME.FIELD=NUMBER" with a field of `fields`. If so, writes the number. */
static int Write(const char* does, const char* name, const Field* fields, void* into) {
  const size_t length = strlen(name);
  const char* equals = strchr(does, '=');
  if (equals == NULL || strncmp(does, name, length) != 0 || does[length] != '.') return 0;
  const char* field = does + length + 1;
  for (; fields->name != NULL; ++fields) {
    if (strlen(fields->name) != (size_t)(equals - field)) continue;
    if (strncmp(fields->name, field, (size_t)(equals - field)) != 0) continue;
    const uint64_t number =
        equals[1] == '-' ? (uint64_t)strtoll(equals + 1, NULL, 10) : strtoull(equals + 1, NULL, 10);
    memcpy((char*)into + fields->at, &number, fields->bytes);
    return 1;
  }
  return 0;
}

typedef struct {
  UnivalTensor tensor;
  int64_t shape[4];
  float values[1024];
} Own;

static void Delete(UnivalTensor* tensor) { free(tensor->manager_ctx); }

static UnivalTensor* NewTensor(const UnivalSelf* self, const char* name, int32_t dimensions,
                               const int64_t* shape) {
  Own* own = calloc(1, sizeof(*own));
  const DLTensor content = {own->values, {kDLCPU, 0}, dimensions, {kDLFloat, 32, 1},
                            own->shape,  NULL,        0};
  memcpy(own->shape, shape, sizeof(*shape) * (size_t)dimensions);
  own->tensor.version.major = DLPACK_MAJOR_VERSION;
  own->tensor.manager_ctx = own;
  own->tensor.deleter = &Delete;
  own->tensor.dl_tensor = content;
  Write(self->does, name, kTensor, &own->tensor);
  const size_t length = strlen(name);
  if (strncmp(self->does, name, length) == 0 && strncmp(self->does + length, ".size", 5) == 0)
    own->shape[self->does[length + 5] - '0'] = strtoll(self->does + length + 7, NULL, 10);
  return &own->tensor;
}

static UnivalCode Create(const UnivalHost* host, const UnivalModalityConfig* config,
                         UnivalSelf** out) {
  UnivalSelf* self = calloc(1, sizeof(*self));
  self->host = host;
  if (config->option_count > 0 && config->option_values[0].size < sizeof(self->does))
    memcpy(self->does, config->option_values[0].data, config->option_values[0].size);
  if (strncmp(self->does, "code=", 5) == 0) {
    const UnivalCode code = (UnivalCode)atoi(self->does + 5);
    free(self);
    return code;
  }
  if (strcmp(self->does, "no object") == 0) {
    free(self);
    return UNIVAL_OK;
  }
  Act(self->does);
  *out = self;
  return UNIVAL_OK;
}

static void Destroy(UnivalSelf* self) { free(self); }

static UnivalCode Describe(const UnivalSelf* self, UnivalModalityInfo* out) {
  const UnivalStr schema = STR("hostile/1");
  out->feature_dim = 1;
  out->position_kind = UNIVAL_POSITION_NONE;
  out->input_kind = UNIVAL_INPUT_BYTES;
  out->feature_schema = schema;
  Write(self->does, "info", kInfo, out);
  return UNIVAL_OK;
}

static UnivalCode Preprocess(const UnivalSelf* self, const UnivalSample* sample,
                             UnivalTensors* out) {
  const UnivalStr damaged = STR("damaged");
  if (sample->bytes.size != 8) return self->host->fail(self->host->ctx, 3, damaged);
  const int64_t shape[] = {8};
  UnivalTensor* tensor = NewTensor(self, "tensor", 1, shape);
  for (int i = 0; i < 8; ++i) ((Own*)tensor->manager_ctx)->values[i] = sample->bytes.data[i];
  out->items[0] = tensor;
  out->count = 1;
  if (strcmp(self->does, "set beyond count") == 0)
    out->items[UNIVAL_MAX_TENSORS - 1] = NewTensor(self, "", 1, shape);
  if (strcmp(self->does, "one twice") == 0) {
    out->items[1] = tensor;
    out->count = 2;
  }
  Write(self->does, "tensors", kTensors, out);
  return UNIVAL_OK;
}

static UnivalCode Encode(UnivalSelf* self, UnivalEncodeCall* call) {
  const int64_t rows = (int64_t)call->sample_count, shape[] = {rows, 8, 1, 0};
  call->features = NewTensor(self, "features", 3, shape);
  for (int64_t i = 0; i < rows * 8 && i < 1024; ++i) {
    ((Own*)call->features->manager_ctx)->values[i] =
        ((const float*)call->inputs[i / 8]->data)[i % 8];
  }
  if (strncmp(self->does, "padding.", 8) == 0) call->padding = NewTensor(self, "padding", 2, shape);
  if (strcmp(self->does, "features as padding") == 0) call->padding = call->features;
  if (strcmp(self->does, "positions unasked") == 0)
    call->positions = NewTensor(self, "positions", 2, shape);
  if (strncmp(self->does, "call.", 5) == 0) Delete(call->features);
  Write(self->does, "call", kCall, call);
  return UNIVAL_OK;
}

static const UnivalModality kModality = {sizeof(UnivalModality),
                                         STR("hostile"),
                                         {NULL, 0},
                                         &Create,
                                         &Destroy,
                                         &Describe,
                                         &Preprocess,
                                         &Encode};
static const UnivalModality* const kModalities[] = {&kModality};
static const UnivalPlugin kPlugin = {.struct_size = sizeof(UnivalPlugin),
                                     .abi_major = UNIVAL_ABI_MAJOR,
                                     .abi_minor = UNIVAL_TARGET_MINOR,
                                     .id = STR("hostile"),
                                     .version = STR("1.0.0"),
                                     .modalities = kModalities,
                                     .modality_count = 1};

UNIVAL_PLUGIN_EXPORT const UnivalPlugin* unival_plugin_v0(const UnivalHost* host);
const UnivalPlugin* unival_plugin_v0(const UnivalHost* host) {
  (void)host;
  return &kPlugin;
}
